"""What the sizes of EfficientNet are, without MindSpore.

Sources: Tan & Le, "EfficientNet" (2019), table 1, and "EfficientNetV2" (2021), table 4; Han et al.,
"Model Rubik's Cube: Twisting Resolution, Depth and Width for TinyNets" (2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from zoohub.networks.layers.widths import make_divisible


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one kind; `stride` is the first one's. `fused` ones have no squeeze."""

    fused: bool
    expansion: int
    kernel: int
    stride: int
    channels: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Size:
    """Channels of the first and the last convolution, and the stages between them."""

    stem: int
    stages: tuple[Stage, ...]
    last: int
    dropout: float
    bn_eps: float = 1e-5


_B0 = (
    Stage(False, 1, 3, 1, 16, 1),
    Stage(False, 6, 3, 2, 24, 2),
    Stage(False, 6, 5, 2, 40, 2),
    Stage(False, 6, 3, 2, 80, 3),
    Stage(False, 6, 5, 1, 112, 3),
    Stage(False, 6, 5, 2, 192, 4),
    Stage(False, 6, 3, 1, 320, 1),
)


def _scaled(width: float, depth: float, dropout: float, bn_eps: float = 1e-5) -> Size:
    stages = tuple(
        replace(
            stage,
            channels=make_divisible(stage.channels * width),
            repeats=ceil(stage.repeats * depth),
        )
        for stage in _B0
    )
    return Size(make_divisible(32 * width), stages, 4 * stages[-1].channels, dropout, bn_eps)


def _tiny(width: float, depth: float) -> Size:
    """TinyNets keep the first and the last convolution, and round depths to the nearest."""
    stages = tuple(
        replace(
            stage,
            channels=make_divisible(stage.channels * width),
            repeats=max(1, round(stage.repeats * depth)),
        )
        for stage in _B0
    )
    return Size(32, stages, 1280, 0.2)


def _v2(stem: int, *stages: tuple[bool, int, int, int, int]) -> Size:
    """Stages of fusedness, expansion, stride, channels, repeats."""
    kernels = tuple(
        Stage(fused, expansion, 3, stride, channels, repeats)
        for fused, expansion, stride, channels, repeats in stages
    )
    return Size(stem, kernels, 1280, 0.2)


SIZES = {
    "b0": _scaled(1.0, 1.0, 0.2),
    "b1": _scaled(1.0, 1.1, 0.2),
    "b2": _scaled(1.1, 1.2, 0.3),
    "b3": _scaled(1.2, 1.4, 0.3),
    "b4": _scaled(1.4, 1.8, 0.4),
    "b5": _scaled(1.6, 2.2, 0.4, 1e-3),
    "b6": _scaled(1.8, 2.6, 0.5, 1e-3),
    "b7": _scaled(2.0, 3.1, 0.5, 1e-3),
    "v2_s": _v2(
        24,
        (True, 1, 1, 24, 2),
        (True, 4, 2, 48, 4),
        (True, 4, 2, 64, 4),
        (False, 4, 2, 128, 6),
        (False, 6, 1, 160, 9),
        (False, 6, 2, 256, 15),
    ),
    "v2_m": _v2(
        24,
        (True, 1, 1, 24, 3),
        (True, 4, 2, 48, 5),
        (True, 4, 2, 80, 5),
        (False, 4, 2, 160, 7),
        (False, 6, 1, 176, 14),
        (False, 6, 2, 304, 18),
        (False, 6, 1, 512, 5),
    ),
    "v2_l": _v2(
        32,
        (True, 1, 1, 32, 4),
        (True, 4, 2, 64, 7),
        (True, 4, 2, 96, 7),
        (False, 4, 2, 192, 10),
        (False, 6, 1, 224, 19),
        (False, 6, 2, 384, 25),
        (False, 6, 1, 640, 7),
    ),
    "v2_xl": _v2(
        32,
        (True, 1, 1, 32, 4),
        (True, 4, 2, 64, 8),
        (True, 4, 2, 96, 8),
        (False, 4, 2, 192, 16),
        (False, 6, 1, 256, 24),
        (False, 6, 2, 512, 32),
        (False, 6, 1, 640, 8),
    ),
    "tiny_a": _tiny(1.0, 1.2),
    "tiny_b": _tiny(0.75, 1.1),
    "tiny_c": _tiny(0.54, 0.85),
    "tiny_d": _tiny(0.54, 0.695),
    "tiny_e": _tiny(0.51, 0.6),
}
