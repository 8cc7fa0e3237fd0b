"""SENet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# official/cv/se_resnext50 with `split_groups`, research/cv/SE_ResNeXt50 with `lean` too.
_MODELS = Layout(
    rules=(
        (r"^backbone\.conv\.(\w+)$", r"layer0.0.\1"),
        (r"^backbone\.bn\.(\w+)$", r"layer0.1.\1"),
        (r"^backbone\.(.+)\.down_sample\.conv\.(\w+)$", r"\1.downsample.0.\2"),
        (r"^backbone\.(.+)\.down_sample\.bn\.(\w+)$", r"\1.downsample.1.\2"),
        (r"^(?:backbone\.)?(.+)\.se(?:_module)?\.fc1\.(\w+)$", r"\1.se_module.conv_reduce.\2"),
        (r"^(?:backbone\.)?(.+)\.se(?:_module)?\.fc2\.(\w+)$", r"\1.se_module.conv_expand.\2"),
        (r"^backbone\.(.+)$", r"\1"),
        (r"^(?:head\.fc|last_linear)\.(\w+)$", r"classifier.\1"),
    )
)

FAMILY = Family(
    name="senet",
    task="image-classification",
    builder="senet",
    arguments={
        "depth": int,
        "groups": int,
        "base_width": int,
        "reduction": int,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "split_groups": bool,
        "lean": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem="layer0.0",
)
