"""Faster R-CNN and Mask R-CNN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family

# Older files misspell the neck.
_MODELS = Layout(
    rules=(
        (r"^(backbone\..+)\.conv_down_sample\.(.+)$", r"\1.down_sample.0.\2"),
        (r"^(backbone\..+)\.bn_down_sample\.(.+)$", r"\1.down_sample.1.\2"),
        (r"^fpn_ncek\.(.+)$", r"fpn_neck.\1"),
    )
)


def _head(arguments: Arguments) -> str:
    if arguments.get("masks", False):
        head = "rcnn_cls.fpn_cls"
        return f"{head}.cls_scores {head}.reg_scores rcnn_mask.fpn_mask.mask_conv6"
    return "rcnn.cls_scores rcnn.reg_scores"


FAMILY = Family(
    name="faster_rcnn",
    task="object-detection",
    builder="faster_rcnn",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "stride_first": bool,
        "background_box": bool,
        "masks": bool,
    },
    layouts={"models": _MODELS},
    head=_head,
    stem="backbone.conv1",
    inputs=("image", "regions"),
    sequences=False,
    raw=("outputs_*",),
)
