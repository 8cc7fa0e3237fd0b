"""Inception v4: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/inceptionv4.
_MODELS = Layout(
    rules=(
        (r"^(.+)\.conv\.conv\.(\w+)$", r"\1.conv.\2"),
        (r"^(.+)\.conv\.batchnorm\.(\w+)$", r"\1.bn.\2"),
        (r"^softmax\.dense\.(\w+)$", r"classifier.\1"),
        (r"^softmax\.batchnorm\.(\w+)$", r"classifier_norm.\1"),
        (r"^bn0\.(\w+)$", r"feature_norm.\1"),
    )
)


def _timm() -> Naming:
    """timm numbers the stem's layers through, and the ends of the last blocks' branches."""
    stem = "features.0"
    convs = [
        (f"{stem}.conv2d_1a_3x3", "features.0"),
        (f"{stem}.conv2d_2a_3x3", "features.1"),
        (f"{stem}.conv2d_2b_3x3", "features.2"),
        (f"{stem}.mixed_3a_branch_1", "features.3.conv"),
        *((f"{stem}.mixed_4a_branch_0.{n}", f"features.4.branch0.{n}") for n in range(2)),
        *((f"{stem}.mixed_4a_branch_1.{n}", f"features.4.branch1.{n}") for n in range(4)),
        (f"{stem}.mixed_5a_branch_0", "features.5.conv"),
    ]
    for block in range(1, 17):
        here, there = f"features.{block}", f"features.{block + 5}"
        if block < 14:
            convs += [(f"{here}.branch_{n}", f"{there}.branch{n}") for n in range(4)]
            convs += [(f"{here}.branch_{n}.{{}}", f"{there}.branch{n}.{{}}") for n in range(4)]
            continue
        convs += [(f"{here}.branch_0", f"{there}.branch0")]
        convs += [(f"{here}.branch_1", f"{there}.branch1_0")]
        convs += [(f"{here}.branch_1_{n}", f"{there}.branch1_1{'ab'[n - 1]}") for n in (1, 2)]
        convs += [(f"{here}.branch_2.{n}", f"{there}.branch2_{n}") for n in range(3)]
        convs += [(f"{here}.branch_2_{n}", f"{there}.branch2_3{'ab'[n - 1]}") for n in (1, 2)]
        convs += [(f"{here}.branch_3.1", f"{there}.branch3.1")]
    plain = [(f"{own}.conv", f"{other}.conv") for own, other in convs]
    norms = tuple((f"{own}.bn", f"{other}.bn") for own, other in convs)
    return Naming((*plain, ("classifier", "last_linear")), norms)


_TIMM = _timm()

FAMILY = Family(
    name="inception_v4",
    task="image-classification",
    builder="inception_v4",
    arguments={
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "bn_eps": NUMBER,
        "normed_head": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TIMM.layout()},
    head="classifier classifier_norm",
    stem="features.0.conv2d_1a_3x3.conv",
    torchvision=_TIMM,
)
