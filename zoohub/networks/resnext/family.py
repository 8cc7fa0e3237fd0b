"""ResNeXt: names, arguments; torchvision calls its layers as it calls ResNet's."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family
from zoohub.networks.resnet.family import FAMILY as RESNET

assert RESNET.torchvision is not None

# official/cv/resnext and research/cv/resnext152_64x4d; with `split_groups`.
_MODELS = Layout(
    rules=(
        (r"^backbone\.conv\.(\w+)$", r"conv1.\1"),
        (r"^backbone\.bn\.(\w+)$", r"bn1.\1"),
        (r"^backbone\.(.+)\.down_sample\.conv\.(\w+)$", r"\1.down_sample.0.\2"),
        (r"^backbone\.(.+)\.down_sample\.bn\.(\w+)$", r"\1.down_sample.1.\2"),
        (r"^backbone\.(.+)$", r"\1"),
        (r"^head\.fc\.(\w+)$", r"classifier.\1"),
    )
)

FAMILY = Family(
    name="resnext",
    task="image-classification",
    builder="resnext",
    arguments={
        "depth": int,
        "groups": int,
        "base_width": int,
        "num_classes": int,
        "in_channels": int,
        "split_groups": bool,
        "pool_padding": str,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": RESNET.torchvision.layout()},
    head="classifier",
    stem="conv1",
    torchvision=RESNET.torchvision,
    torchvision_arguments={"pool_padding": "symmetric"},
    torchvision_difference=RESNET.torchvision_difference,
)
