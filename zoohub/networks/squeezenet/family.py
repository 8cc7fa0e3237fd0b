"""SqueezeNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, INT_OR_NONE, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# Places of the fires of version 1.0, the second of the network's parts on.
_FIRES = (3, 4, 5, 7, 8, 9, 10, 12)
_FIRE = "features.{}"
_PARTS = ("squeeze", "expand1x1", "expand3x3")

# official/cv/squeezenet and research/cv/squeezenet1_1; its residual network names the fires.
_MODELS = Layout(
    rules=(
        (r"^final_conv\.(\w+)$", r"classifier.1.\1"),
        (r"^conv10\.(\w+)$", r"classifier.1.\1"),
        (r"^conv1\.(\w+)$", r"features.0.\1"),
        *(
            (rf"^fire{number}\.(\w+\.\w+)$", rf"features.{place}.\1")
            for number, place in enumerate(_FIRES, 2)
        ),
    )
)
_TORCHVISION = Naming(
    plain=(
        ("features.0", "features.0"),
        *((f"{_FIRE}.{part}", f"{_FIRE}.{part}") for part in _PARTS),
        ("classifier.1", "classifier.1"),
    )
)


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("pool_rounding") == "up" and arguments.get("stem_padding") == 0:
        return None
    return (
        "torchvision's max pooling rounds sizes up, this one down, and its first convolution of "
        "version 1.1 does not pad: the weights fit its network, the results will differ"
    )


FAMILY = Family(
    name="squeezenet",
    task="image-classification",
    builder="squeezenet",
    arguments={
        "version": str,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "bypass": bool,
        "stem_padding": INT_OR_NONE,
        "pool_rounding": str,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier.1",
    stem="features.0",
    torchvision=_TORCHVISION,
    torchvision_arguments={"stem_padding": 0, "pool_rounding": "up"},
    torchvision_difference=_difference,
)
