"""MobileNetV2: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming


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
_MODELS = Layout(
    rules=(
        (r"^features\.0\.features\.([01])\.(\w+)$", r"features.\1.\2"),
        *(rule for block in range(1, 18) for rule in _mobilenet_v2_block(block)),
        (r"^features\.18\.features\.([01])\.(\w+)$", r"features.2\1.\2"),
        (r"^dense\.(\w+)$", r"classifier.1.\1"),
    )
)


def _torchvision() -> Naming:
    plain = [("features.0", "features.0.0"), ("features.20", "features.18.0")]
    norms = [("features.1", "features.0.1"), ("features.21", "features.18.1")]
    plain += [("classifier.1", "classifier.1"), ("features.3.layers.0", "features.1.conv.0.0")]
    plain.append(("features.3.layers.3", "features.1.conv.1"))
    norms += [
        ("features.3.layers.1", "features.1.conv.0.1"),
        ("features.3.layers.4", "features.1.conv.2"),
    ]
    for block in range(2, 18):
        here, there = f"features.{block + 2}.layers", f"features.{block}.conv"
        plain += [(f"{here}.0", f"{there}.0.0"), (f"{here}.3", f"{there}.1.0")]
        plain.append((f"{here}.6", f"{there}.2"))
        norms += [(f"{here}.1", f"{there}.0.1"), (f"{here}.4", f"{there}.1.1")]
        norms.append((f"{here}.7", f"{there}.3"))
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()

FAMILY = Family(
    name="mobilenet_v2",
    task="image-classification",
    builder="mobilenet_v2",
    arguments={
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier.1",
    stem="features.0",
    torchvision=_TORCHVISION,
)
