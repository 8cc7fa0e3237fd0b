"""Inception v3: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/inceptionv3; its auxiliary head, which only training uses, has no batch norms.
_MODELS = Layout(
    rules=(
        (r"^Conv2d_(\w+)\.(.+)$", r"conv\1.\2"),
        (r"^Mixed_(\w+)\.branch([12])_([ab])\.(.+)$", r"inception\1.branch\2\3.\4"),
        (r"^Mixed_(\w+)\.(.+)$", r"inception\1.\2"),
        (r"^logits\.fc\.(\w+)$", r"classifier.\1"),
    ),
    drop=(r"aux_logits\..*",),
)

# torchvision's names of the branches, in our order: of blocks without, with two and with three
# kernels.
_POOL = ("branch_pool.1", "branch_pool")
_A = (
    ("branch0", "branch1x1"),
    *((f"branch1.{n}", f"branch5x5_{n + 1}") for n in range(2)),
    *((f"branch2.{n}", f"branch3x3dbl_{n + 1}") for n in range(3)),
    _POOL,
)
_B = (
    ("branch0", "branch3x3"),
    *((f"branch1.{n}", f"branch3x3dbl_{n + 1}") for n in range(3)),
)
_C = (
    ("branch0", "branch1x1"),
    *((f"branch1.{n}", f"branch7x7_{n + 1}") for n in range(3)),
    *((f"branch2.{n}", f"branch7x7dbl_{n + 1}") for n in range(5)),
    _POOL,
)
_D = (
    *((f"branch0.{n}", f"branch3x3_{n + 1}") for n in range(2)),
    *((f"branch1.{n}", f"branch7x7x3_{n + 1}") for n in range(4)),
)
_E = (
    ("branch0", "branch1x1"),
    ("branch1", "branch3x3_1"),
    *((f"branch1{half}", f"branch3x3_2{half}") for half in "ab"),
    *((f"branch2.{n}", f"branch3x3dbl_{n + 1}") for n in range(2)),
    *((f"branch2{half}", f"branch3x3dbl_3{half}") for half in "ab"),
    _POOL,
)
_BLOCKS = {
    **dict.fromkeys(("5b", "5c", "5d"), _A),
    "6a": _B,
    **dict.fromkeys(("6b", "6c", "6d", "6e"), _C),
    "7a": _D,
    **dict.fromkeys(("7b", "7c"), _E),
}


def _torchvision() -> Naming:
    convs = [
        (f"conv{name}", f"Conv2d_{name}_{kernel}")
        for name, kernel in (
            *(("1a", "3x3"), ("2a", "3x3"), ("2b", "3x3")),
            *(("3b", "1x1"), ("4a", "3x3")),
        )
    ]
    for block, branches in _BLOCKS.items():
        convs += [(f"inception{block}.{own}", f"Mixed_{block}.{other}") for own, other in branches]
    convs += [(f"aux.conv{number}", f"AuxLogits.conv{number}") for number in (0, 1)]
    plain = [(f"{own}.conv", f"{other}.conv") for own, other in convs]
    plain += [("aux.fc", "AuxLogits.fc"), ("classifier", "fc")]
    return Naming(tuple(plain), tuple((f"{own}.bn", f"{other}.bn") for own, other in convs))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str:
    return (
        "torchvision's average pooling counts the padding, this one does not: the weights fit its "
        "network, the results will differ; fine-tune them"
    )


FAMILY = Family(
    name="inception_v3",
    task="image-classification",
    builder="inception_v3",
    arguments={
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "aux_logits": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier aux.fc",
    stem="conv1a.conv",
    torchvision=_TORCHVISION,
    torchvision_difference=_difference,
)
