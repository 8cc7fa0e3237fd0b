"""MnasNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# Blocks in each of the six stages; the first is `features.8`.
_REPEATS = (3, 3, 3, 2, 4, 1)

# research/cv/mnasnet.
_MODELS = Layout(
    rules=(
        (r"^features\.0\.conv\.(\w+)$", r"features.0.\1"),
        (r"^features\.0\.bn\.(\w+)$", r"features.1.\1"),
        *(
            (rf"^features\.1\.sequence\.{place}\.(\w+)$", rf"features.{place + 3}.\1")
            for place in (0, 1, 3, 4)
        ),
        *(
            (rf"^features\.{block}\.conv\.(\d+\.\w+)$", rf"features.{block + 6}.layers.\1")
            for block in range(2, sum(_REPEATS) + 2)
        ),
        (r"^conv1\.0\.(\w+)$", r"features.24.\1"),
        (r"^conv1\.1\.(\w+)$", r"features.25.\1"),
        (r"^fc\.(\w+)$", r"classifier.\1"),
    )
)


def _torchvision() -> Naming:
    plain = [(f"features.{place}", f"layers.{place}") for place in (0, 3, 6)]
    norms = [(f"features.{place}", f"layers.{place}") for place in (1, 4, 7)]
    own = 8
    for stage, repeats in enumerate(_REPEATS):
        for block in range(repeats):
            here, there = f"features.{own}.layers", f"layers.{8 + stage}.{block}.layers"
            plain += [(f"{here}.{place}", f"{there}.{place}") for place in (0, 3, 6)]
            norms += [(f"{here}.{place}", f"{there}.{place}") for place in (1, 4, 7)]
            own += 1
    plain += [(f"features.{own}", "layers.14"), ("classifier", "classifier.1")]
    norms.append((f"features.{own + 1}", "layers.15"))
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("bn_eps") == 1e-5:
        return None
    return (
        "torchvision's batch norms have an epsilon of 1e-5, these 1e-3: the weights fit its "
        "network, the results will differ; set eps of its batch norms"
    )


FAMILY = Family(
    name="mnasnet",
    task="image-classification",
    builder="mnasnet",
    arguments={
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "conv_padding": str,
        "bn_eps": NUMBER,
        "stem_bias": bool,
        "stem_kernel": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier",
    stem="features.0",
    torchvision=_TORCHVISION,
    torchvision_arguments={"bn_eps": 1e-5},
    torchvision_difference=_difference,
)
