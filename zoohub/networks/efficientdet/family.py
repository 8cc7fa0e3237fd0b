"""EfficientDet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

_REPEATS = (1, 2, 2, 3, 3, 4, 1)  # blocks of EfficientNet-B0's stages


def _models() -> Layout:
    """The models repository counts blocks through, where mindcv counts stages."""
    there, own = r"^backbone_net\.model", "backbone.features"
    rules = [
        (rf"{there}\.conv_stem\.(.+)$", rf"{own}.0.\1"),
        (rf"{there}\.bn0\.(.+)$", rf"{own}.1.\1"),
    ]
    block = 0
    for stage, repeats in enumerate(_REPEATS):
        for index in range(repeats):
            here, mine = rf"{there}\.blocks\.{block}", f"{own}.{stage + 3}.{index}.block"
            names = ["_depthwise_conv", "_bn1", "", "_se", "_project_conv", "_bn2"]
            if stage:
                names = ["_expand_conv", "_bn0", "", *names]
            for place, name in enumerate(names):
                if name == "_se":
                    rules += [
                        (rf"{here}\._se_{part}\.(.+)$", rf"{mine}.{place}.conv_{part}.\1")
                        for part in ("reduce", "expand")
                    ]
                elif name:
                    rules.append((rf"{here}\.{name}\.(.+)$", rf"{mine}.{place}.\1"))
            block += 1
    # The classifier of ImageNet, which no one asks.
    unused = (rf"{there}\.(?:conv_head|end_point|_bn2)\..+",)
    return Layout(rules=tuple(rules), drop=unused)


FAMILY = Family(
    name="efficientdet",
    task="object-detection",
    builder="efficientdet",
    arguments={"num_classes": int, "in_channels": int, "decode": bool},
    layouts={"models": _models()},
    head="classifier.header",
    stem="backbone.features.0",
    raw=("offsets", "scores", "boxes"),
    outputs="zoohub.outputs.boxes:scored_boxes",
    cut="zoohub.networks.layers.cuts:cut_offsets",
    multiple=128,
)
