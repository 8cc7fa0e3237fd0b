"""ResNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import (
    FEATURES,
    NUMBER,
    NUMBER_OR_NONE,
    SEQUENCE,
    Arguments,
    Family,
)
from zoohub.networks.pytorch_names import Naming

# official/cv/resnet, all depths and releases; resnet_thor's files hold its optimiser's damping too.
_MODELS = Layout(
    rules=(
        (r"^(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
        (r"^(.+)\.bn([12])d\.(.+)$", r"\1.bn\2.\3"),
        (r"^end_point\.(.+)$", r"classifier.\1"),
    ),
    drop=(r".*damping.*",),
)
_TORCHVISION = Naming(
    plain=(
        ("conv1", "conv1"),
        ("layer{}.{}.conv{}", "layer{}.{}.conv{}"),
        ("layer{}.{}.down_sample.0", "layer{}.{}.downsample.0"),
        ("classifier", "fc"),
    ),
    norms=(
        ("bn1", "bn1"),
        ("layer{}.{}.bn{}", "layer{}.{}.bn{}"),
        ("layer{}.{}.down_sample.1", "layer{}.{}.downsample.1"),
    ),
)
_CEIL_POOLING = (
    "the stem's pooling pads below and to the right only: for the same results set "
    "model.maxpool = torch.nn.MaxPool2d(3, 2, ceil_mode=True) in PyTorch"
)
_OTHER_NUMERICS = (
    "the publisher pads and normalises otherwise than torchvision ({}): the weights fit its "
    "network, the results will differ; fine-tune them"
)


def _difference(arguments: Arguments) -> str | None:
    own = {"conv_padding": "symmetric", "bn_eps": 1e-5, "outer_bn_eps": None}
    odd = [f"{key}={arguments[key]}" for key in own if arguments.get(key, own[key]) != own[key]]
    if odd:
        return _OTHER_NUMERICS.format(", ".join(odd))
    return _CEIL_POOLING if arguments.get("pool_padding", "same") == "same" else None


FAMILY = Family(
    name="resnet",
    task="image-classification",
    builder="resnet",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "conv_padding": str,
        "pool_padding": str,
        "bn_eps": NUMBER,
        "outer_bn_eps": NUMBER_OR_NONE,
        "base_channels": int,
        "output_stride": int,
        "multi_grid": SEQUENCE,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier",
    stem="conv1",
    torchvision=_TORCHVISION,
    torchvision_arguments={"pool_padding": "symmetric"},
    torchvision_difference=_difference,
)
