"""U-Net: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, Family

_HEADS = {"medical": "outc.conv", "simple": "final", "nested": "final1 final2 final3 final4"}
_STEMS = {
    "medical": "inc.double_conv.0",
    "simple": "conv0.convs.0.0",
    "nested": "conv00.convs.0.0",
}


def _variant(arguments: Mapping[str, object]) -> str:
    return str(arguments.get("variant", "medical"))


FAMILY = Family(
    name="unet",
    task="semantic-segmentation",
    raw=("classes",),
    outputs="maps:whole_map",
    builder="unet",
    arguments={
        "variant": str,
        "num_classes": int,
        "in_channels": int,
        "base_channels": INT_OR_NONE,
        "batch_norm": bool,
        "deep_supervision": bool,
    },
    layouts={"models": Layout()},
    head=lambda arguments: _HEADS.get(_variant(arguments), ""),
    stem=lambda arguments: _STEMS.get(_variant(arguments), ""),
)
