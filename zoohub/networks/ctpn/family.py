"""CTPN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

_CONVS = (2, 2, 3, 3, 3)  # of VGG-16's stages


def _models() -> Layout:
    """The models repository names VGG's convolutions where mindcv counts layers."""
    rules, layer = [], 0
    for stage, count in enumerate(_CONVS, start=1):
        for conv in range(1, count + 1):
            there = rf"^vgg16_feature_extractor\.conv{stage}_{conv}"
            rules += [
                (rf"{there}\.{part}\.(.+)$", rf"features.{layer + part}.\1") for part in (0, 1)
            ]
            layer += 3  # with the activation
        layer += 1  # the pooling
    return Layout(rules=(*rules, (r"^rpn_with_loss\.rpn_convs_list\.(.+)$", r"head.\1")))


FAMILY = Family(
    name="ctpn",
    task="scene-text-detection",
    builder="ctpn",
    arguments={"in_channels": int, "ascend": bool},
    layouts={"models": _models()},
    stem="features.0",
    raw=("logits", "offsets"),
    outputs="zoohub.outputs.text_areas:text_columns",
    multiple=16,
)
