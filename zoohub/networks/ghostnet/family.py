"""GhostNet: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# Blocks in each stage: a block with stride 2 is a stage of its own.
_STAGES = {"ghost": (1, 1, 1, 1, 1, 1, 5, 1, 4), "ghost_600m": (1, 1, 1, 1, 2, 1, 6, 1, 5)}


def _models(stages: Sequence[int]) -> Layout:
    """research/cv/ghostnet, which counts blocks through."""
    rules: list[tuple[str, str]] = []
    flat = 0
    for stage, repeats in enumerate(stages):
        for block in range(repeats):
            here, own = rf"^blocks\.{flat}", f"blocks.{stage}.{block}"
            for part, place in (("conv", 0), ("bn", 1)):
                ghost = rf"{here}\.(ghost\d\.\w+)\.{part}\.(\w+)$"
                rules.append((ghost, rf"{own}.\1.{place}.\2"))
                rules.append((rf"{here}\.dw\.{part}\.(\w+)$", rf"{own}.{part}_dw.\1"))
                for half in (0, 1):
                    shortcut = rf"{here}\.shortcut\.{half}\.{part}\.(\w+)$"
                    rules.append((shortcut, rf"{own}.shortcut.{2 * half + place}.\1"))
            rules.append((rf"{here}\.se\.(\w+\.\w+)$", rf"{own}.se.\1"))
            flat += 1
    for part, place in (("conv", 0), ("bn", 1)):
        rules.append((rf"^blocks\.{flat}\.{part}\.(\w+)$", rf"blocks.9.features.{place}.\1"))
    return Layout(rules=tuple(rules))


# mindcv up to 0.1.1.
_EARLY = Layout(
    rules=(
        (r"^blocks\.9\.0\.conv\.(\w+)$", r"blocks.9.features.0.\1"),
        (r"^blocks\.9\.0\.bn1\.(\w+)$", r"blocks.9.features.1.\1"),
    )
)

_BLOCK = "blocks.{}.{}"
_SAME_PLAIN = (
    *("ghost{}.primary_conv.0", "ghost{}.cheap_operation.0", "conv_dw"),
    *("se.conv_reduce", "se.conv_expand", "shortcut.0", "shortcut.2"),
)
_SAME_NORMS = (
    *("ghost{}.primary_conv.1", "ghost{}.cheap_operation.1", "bn_dw"),
    *("shortcut.1", "shortcut.3"),
)
_TIMM = Naming(
    plain=(
        *((name, name) for name in ("conv_stem", "conv_head", "classifier")),
        ("blocks.9.features.0", "blocks.9.0.conv"),
        *((f"{_BLOCK}.{part}", f"{_BLOCK}.{part}") for part in _SAME_PLAIN),
    ),
    norms=(
        ("bn1", "bn1"),
        ("blocks.9.features.1", "blocks.9.0.bn1"),
        *((f"{_BLOCK}.{part}", f"{_BLOCK}.{part}") for part in _SAME_NORMS),
    ),
)

FAMILY = Family(
    name="ghostnet",
    task="image-classification",
    builder="ghostnet",
    arguments={
        "variant": str,
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        **FEATURES,
    },
    layouts={
        "mindcv": Layout(),
        "mindcv_0.1": _EARLY,
        "models": _models(_STAGES["ghost"]),
        "models_600m": _models(_STAGES["ghost_600m"]),
        "torchvision": _TIMM.layout(),
    },
    head="classifier",
    stem="conv_stem",
    torchvision=_TIMM,
)
