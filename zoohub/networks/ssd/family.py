"""SSD: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.`.
_ANY = r"^(?:network\.)?(.+)"


def _inception(there: str, here: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Rules for a part of Inception, which is `there` in a file and `here` in the network."""
    start = rf"^network\.InceptionV2\.{there}(.+)"
    return (
        (rf"{start}\.BatchNorm\.(.+)$", rf"feature_extractor.{here}\1.bn.\2"),
        (rf"{start}$", rf"feature_extractor.{here}\1"),
    )


_BLOCKS = ("3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "5c")
_MODELS = Layout(
    rules=(
        # GhostNet's blocks
        (rf"{_ANY}\.(primary_conv|cheap_operation)\.features\.(.+)$", r"\1.\2.\3"),
        (rf"{_ANY}\.dw\.features\.0\.(.+)$", r"\1.conv_dw.\2"),
        (rf"{_ANY}\.dw\.features\.1\.(.+)$", r"\1.bn_dw.\2"),
        *(
            (
                rf"{_ANY}\.shortcut\.{half}\.features\.{place}\.(.+)$",
                rf"\1.shortcut.{2 * half + place}.\2",
            )
            for half in (0, 1)
            for place in (0, 1)
        ),
        # Inception's blocks
        (r"^network\.box\.(.+)$", r"multi_box.\1"),
        *(
            rule
            for place, name in enumerate(_BLOCKS)
            for rule in _inception(rf"Mixed_{name}\.", f"blocks.{place}.")
        ),
        *_inception("", ""),
        *(
            (
                rf"^network\.feature_maps\.feature_generators\.{place + 2}\.(.+)$",
                rf"halvings.{place}.\1",
            )
            for place in range(4)
        ),
        (r"^(?:network\.)?(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
        (r"^network\.(.+)$", r"\1"),
    )
)
_STEMS = {
    "mobilenet_v2": "backbone.features_1.0.features.0",
    "vgg16": "backbone.b1.0",
    "mobilenet_v1": "feature_extractor.mobilenet_v1.network.0.0",
    "mobilenet_v1_fpn": "feature_extractor.mobilenet_v1.network.0.0",
    "resnet34": "feature_extractor.module.conv1",
    "resnet50_fpn": "feature_extractor.resnet.conv1",
    "resnet50": "feature_extractor.resnet.conv1",
    "ghostnet": "backbone.features_1.0.features.0",
    "inception_v2": "feature_extractor.Conv2d_1a_7x7.conv",
    "mobilenet_v2_fpnlite": "feature_extractor.mobilenet_v2.features_1.0.features.0",
}


def _backbone(arguments: Mapping[str, object]) -> str:
    return str(arguments.get("backbone", "mobilenet_v2"))


def _head(arguments: Mapping[str, object]) -> str:
    shared = "fpn" in _backbone(arguments)
    return "multi_box.cls_layers" if shared else "multi_box.multi_cls_layers"


FAMILY = Family(
    name="ssd",
    task="object-detection",
    builder="ssd",
    arguments={
        "backbone": str,
        "num_classes": int,
        "in_channels": int,
        "full_heads": bool,
        "decode": bool,
    },
    raw=("offsets", "scores", "boxes"),
    outputs="zoohub.outputs.boxes:scored_boxes",
    cut="zoohub.networks.layers.cuts:cut_offsets",
    layouts={"models": _MODELS},
    head=_head,
    stem=lambda arguments: _STEMS.get(_backbone(arguments), ""),
)
