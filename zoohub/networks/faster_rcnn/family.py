"""Faster R-CNN, Cascade R-CNN and Mask R-CNN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family
from zoohub.networks.mobilenet_v1.family import FAMILY as MOBILENET_V1

# Most files misspell the neck.
_NECK = (r"^fpn_ncek\.(.+)$", r"fpn_neck.\1")
_MODELS = Layout(
    rules=(
        (r"^(backbone\..+)\.conv_down_sample\.(.+)$", r"\1.down_sample.0.\2"),
        (r"^(backbone\..+)\.bn_down_sample\.(.+)$", r"\1.down_sample.1.\2"),
        (r"^(backbone\..+)\.defconv\.(.+)$", r"\1.conv2.\2"),
        *(
            (rf"^backbone\.mobilenet_v1\.{pattern.lstrip('^')}", rf"backbone.{replacement}")
            for pattern, replacement in MOBILENET_V1.layouts["models"].rules
        ),
        _NECK,
    )
)
# Res2Net's shortcuts pool before they filter, but for the first stage's.
_RES2NET = Layout(
    rules=(
        *(
            (rf"^backbone\.{part}1_{place}\.(.+)$", rf"backbone.conv1.{3 * place + index}.\1")
            for index, part in enumerate(("conv", "bn"))
            for place in range(3)
        ),
        *(
            (
                rf"^(backbone\.layer{stages}\..+)\.{part}_down_sample\.(.+)$",
                rf"\1.down_sample.{place + index}.\2",
            )
            for stages, place in (("1", 0), ("[2-4]", 1))
            for index, part in enumerate(("conv", "bn"))
        ),
        _NECK,
    )
)


def _head(arguments: Arguments) -> str:
    if arguments.get("cascade", False):
        heads = ("rcnn", "rcnn1", "rcnn2")
        return " ".join(f"{head}.{part}_scores" for head in heads for part in ("cls", "reg"))
    if arguments.get("masks", False):
        head = "rcnn_cls.fpn_cls"
        return f"{head}.cls_scores {head}.reg_scores rcnn_mask.fpn_mask.mask_conv6"
    return "rcnn.cls_scores rcnn.reg_scores"


def _stem(arguments: Arguments) -> str:
    own = {"mobilenet_v1": "backbone.features.0", "res2net": "backbone.conv1.0"}
    return own.get(str(arguments.get("backbone")), "backbone.conv1")


FAMILY = Family(
    name="faster_rcnn",
    task="object-detection",
    builder="faster_rcnn",
    arguments={
        "backbone": str,
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "stride_first": bool,
        "background_box": bool,
        "masks": bool,
        "cascade": bool,
    },
    layouts={"models": _MODELS, "models-res2net": _RES2NET},
    head=_head,
    stem=_stem,
    inputs=("image", "regions"),
    sequences=False,
    raw=("outputs_*",),
    outputs="zoohub.outputs.masked_boxes:chosen_regions",
    parts=".parts:search_parts",
)
