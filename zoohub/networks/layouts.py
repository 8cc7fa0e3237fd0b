"""Naming schemes of published checkpoints, as rename rules. Free of MindSpore.

Each says how one publisher's parameter names become those of zoohub's network, where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    r"""Rules from a file's parameter names to the network's.

    `rules` are (regular expression, replacement) pairs, tried in order on the whole name; the
    first that matches is applied, once (`\1` is the first group). A name no rule matches stays.
    `drop` are regular expressions of names in the file the network has no use for (training-only
    branches, say).
    """

    rules: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()


# The models repository's ResNets (official/cv/resnet), all depths and releases.
RESNET_MODELS = Layout(
    rules=(
        (r"^(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
        (r"^(.+)\.bn([12])d\.(.+)$", r"\1.bn\2.\3"),
        (r"^end_point\.(.+)$", r"classifier.\1"),
    )
)


def _mobilenet_v2_block(block: int) -> tuple[tuple[str, str], ...]:
    """The models repository nests convolution, norm and activation; mindcv numbers them through."""
    file, own = rf"^features\.{block}\.conv", f"features.{block + 2}.layers"
    if block == 1:  # without the expansion
        places = {r"0\.features\.0": 0, r"0\.features\.1": 1, "1": 3, "2": 4}
    else:
        places = {
            r"0\.features\.0": 0,
            r"0\.features\.1": 1,
            r"1\.features\.0": 3,
            r"1\.features\.1": 4,
            "2": 6,
            "3": 7,
        }
    return tuple(
        (rf"{file}\.{place}\.(\w+)$", rf"{own}.{own_place}.\1")
        for place, own_place in places.items()
    )


# The models repository's MobileNetV2 (official/cv/mobilenetv2).
MOBILENET_V2_MODELS = Layout(
    rules=(
        (r"^features\.0\.features\.([01])\.(\w+)$", r"features.\1.\2"),
        *(rule for block in range(1, 18) for rule in _mobilenet_v2_block(block)),
        (r"^features\.18\.features\.([01])\.(\w+)$", r"features.2\1.\2"),
        (r"^dense\.(\w+)$", r"classifier.1.\1"),
    )
)

_YOLOV5 = r"^(?:yolo_network\.)?feature_map"
# The models repository's YOLOv5 (official/cv/yolov5): files saved from the training graph carry
# `yolo_network.`, and the first release had other names for the same blocks.
YOLOV5_MODELS = Layout(
    rules=(
        (rf"{_YOLOV5}\.backbone\.focusv2\.(.+)$", r"feature_map.backbone.focus.\1"),
        (rf"{_YOLOV5}\.backbone\.spp\.cv(\d)\.(.+)$", r"feature_map.backbone.spp.conv\1.\2"),
        (
            rf"{_YOLOV5}\.backbone\.C3(\d)\.m\.(\d+)\.cv(\d)\.(.+)$",
            r"feature_map.backbone.CSP\1.m.\2.conv\3.\4",
        ),
        (
            rf"{_YOLOV5}\.backbone\.C3(\d)\.cv(\d)\.(.+)$",
            r"feature_map.backbone.CSP\1.conv\2.\3",
        ),
        *(
            rule
            for block in range(1, 5)
            for rule in (
                (
                    rf"{_YOLOV5}\.C3{block}\.m\.(\d+)\.cv(\d)\.(.+)$",
                    rf"feature_map.CSP{block + 4}.m.\1.conv\2.\3",
                ),
                (
                    rf"{_YOLOV5}\.C3{block}\.cv(\d)\.(.+)$",
                    rf"feature_map.CSP{block + 4}.conv\1.\2",
                ),
            )
        ),
        (rf"{_YOLOV5}\.backblock(\d)\.cv\.(.+)$", r"feature_map.back_block\1.conv.\2"),
        (rf"{_YOLOV5}\.(.+)$", r"feature_map.\1"),
    )
)
