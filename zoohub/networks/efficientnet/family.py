"""EfficientNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.efficientnet.sizes import SIZES
from zoohub.networks.family import FEATURES, NUMBER, NUMBER_OR_NONE, Family
from zoohub.networks.pytorch_names import Naming

# Places in a block of convolution, norm and excitation: of a block that expands, and of the first
# stage's, which do not.
_EXPANDED = {"expand": (0, 1), "depthwise": (3, 4), "excite": 6, "project": (7, 8)}
_PLAIN = {"depthwise": (0, 1), "excite": 3, "project": (4, 5)}


def _official() -> Layout:
    """official/cv/efficientnet, and research/cv/tinynet."""
    file, own = r"^blocks\.layer\.{}\.(\d+)", r"features.{}.\1.block"
    rules = [(r"^conv_stem\.(\w+)$", r"features.0.\1"), (r"^bn1\.(\w+)$", r"features.1.\1")]
    for stage in range(7):
        places = _EXPANDED if stage else _PLAIN
        convs = ("conv_pw", "conv_dw", "conv_pwl") if stage else ("conv_dw", "conv_pw")
        pairs = [place for place in places.values() if isinstance(place, tuple)]
        here, there = file.format(stage), own.format(stage + 3)
        for number, (name, (conv, norm)) in enumerate(zip(convs, pairs, strict=True), 1):
            rules.append((rf"{here}\.{name}\.(\w+)$", rf"{there}.{conv}.\2"))
            rules.append((rf"{here}\.bn{number}\.(\w+)$", rf"{there}.{norm}.\2"))
        rules.append((rf"{here}\.se\.(\w+\.\w+)$", rf"{there}.{places['excite']}.\2"))
    rules += [(r"^conv_head\.(\w+)$", r"features.10.\1"), (r"^bn2\.(\w+)$", r"features.11.\1")]
    return Layout(rules=(*rules, (r"^classifier\.(\w+)$", r"mlp_head.\1")))


def _research() -> Layout:
    """research/cv/efficientnet-b0 to -b3.

    Their files hold weights that the network never uses: expansions in the first stage, and biases
    of convolutions that a norm follows.
    """
    rules = [(r"^stem\.([01])\.(?:conv\.)?(\w+)$", r"features.\1.\2")]
    for stage in range(7):
        places = _EXPANDED if stage else _PLAIN
        file, own = rf"^blocks\.{stage}\.layers\.(\d+)", rf"features.{stage + 3}.\1.block"
        names = {"expand": "expand", "depthwise": "depth_wise", "project": "project"}
        for kind, place in places.items():
            if isinstance(place, tuple):
                here = rf"{file}\.{names[kind]}_conv"
                rules.append((rf"{here}\.0\.(?:conv\.)?(weight)$", rf"{own}.{place[0]}.\2"))
                rules.append((rf"{here}\.1\.(\w+)$", rf"{own}.{place[1]}.\2"))
            else:
                rules.append((rf"{file}\.se\.se\.1\.(.+)$", rf"{own}.{place}.conv_reduce.\2"))
                rules.append((rf"{file}\.se\.se\.3\.(.+)$", rf"{own}.{place}.conv_expand.\2"))
    rules += [(r"^head\.0\.(?:conv\.)?(\w+)$", r"features.10.\1")]
    rules += [(r"^head\.1\.(\w+)$", r"features.11.\1"), (r"^head\.6\.(\w+)$", r"mlp_head.\1")]
    unused = (r"blocks\.0\.layers\.\d+\.expand_conv\..*", r"(stem|head|.*_conv)\.0\.bias")
    return Layout(rules=tuple(rules), drop=unused)


def _research_v2() -> Layout:
    """research/cv/efficientnetv2, which counts blocks through; it published V2-S."""
    rules = [(r"^(?:model\.)?features\.0\.([01])\.(\w+)$", r"features.\1.\2")]
    block = 1
    for stage, known in enumerate(SIZES["v2_s"].stages, 3):
        for index in range(known.repeats):
            file = rf"^(?:model\.)?features\.{block}\.conv"
            own = f"features.{stage}.{index}.block"
            rules.append((rf"{file}\.6\.fc\.0\.(\w+)$", rf"{own}.6.conv_reduce.\1"))
            rules.append((rf"{file}\.6\.fc\.2\.(\w+)$", rf"{own}.6.conv_expand.\1"))
            rules.append((rf"{file}\.(\d+\.\w+)$", rf"{own}.\1"))
            block += 1
    rules.append((r"^(?:model\.)?conv\.0\.(\w+)$", r"features.9.\1"))
    rules.append((r"^(?:model\.)?conv\.1\.(\w+)$", r"features.10.\1"))
    return Layout(rules=(*rules, (r"^(?:model\.)?classifier\.(\w+)$", r"mlp_head.\1")))


def _torchvision() -> Naming:
    """For all sizes: where they number otherwise, the names differ in their ends."""
    plain, norms = [("features.0", "features.0.0")], [("features.1", "features.0.1")]
    for stage in range(1, 8):
        here, there = f"features.{stage + 2}.{{}}.block", f"features.{stage}.{{}}.block"
        for places in (_EXPANDED, _PLAIN):
            for cell, place in enumerate(places.values()):
                if isinstance(place, tuple):
                    plain.append((f"{here}.{place[0]}", f"{there}.{cell}.0"))
                    norms.append((f"{here}.{place[1]}", f"{there}.{cell}.1"))
                else:
                    plain.append((f"{here}.{place}.conv_reduce", f"{there}.{cell}.fc1"))
                    plain.append((f"{here}.{place}.conv_expand", f"{there}.{cell}.fc2"))
    for stages in (6, 7):
        plain.append((f"features.{stages + 3}", f"features.{stages + 1}.0"))
        norms.append((f"features.{stages + 4}", f"features.{stages + 1}.1"))
    plain.append(("mlp_head", "classifier.1"))
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str | None:
    defaults = {"excitation": "conv", "activation": "silu"}
    wanted = _torchvision_numerics(arguments)
    if all(arguments.get(name, defaults.get(name)) == wanted[name] for name in wanted):
        return None
    return (
        "torchvision pads convolutions with stride 2 on every side, this one below and to the "
        "right, or normalises otherwise: the weights fit its network, the results will differ; "
        "fine-tune them"
    )


def _torchvision_numerics(arguments: Mapping[str, object]) -> Mapping[str, object]:
    """Its epsilon is mindcv's for B0 to B7, which nothing has to say."""
    own = {"conv_padding": "symmetric", "excitation": "conv", "activation": "silu"}
    size = str(arguments.get("size", "b0"))
    if size.startswith("v2") or "bn_eps" in arguments:
        return {**own, "bn_eps": 1e-5 if size in ("b0", "b1", "b2", "b3", "b4") else 1e-3}
    return own


FAMILY = Family(
    name="efficientnet",
    task="image-classification",
    builder="efficientnet",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER_OR_NONE,
        "drop_path": NUMBER,
        "conv_padding": str,
        "bn_eps": NUMBER_OR_NONE,
        "activation": str,
        "excitation": str,
        **FEATURES,
    },
    layouts={
        "mindcv": Layout(),
        "models": _official(),
        "models_research": _research(),
        "models_v2": _research_v2(),
        "torchvision": _TORCHVISION.layout(),
    },
    head="mlp_head",
    stem="features.0",
    torchvision=_TORCHVISION,
    torchvision_arguments=_torchvision_numerics,
    torchvision_difference=_difference,
)
