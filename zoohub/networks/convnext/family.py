"""ConvNeXt: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, NUMBER_OR_NONE, SEQUENCE, Family
from zoohub.networks.pytorch_names import Naming

# research/cv/convnext: the network inside its loss cell, stem and stages in two lists.
_MODELS = Layout(
    rules=(
        *(
            (rf"^model\.downsample_layers\.{stage}\.(.+)$", rf"feature.{2 * stage}.\1")
            for stage in range(4)
        ),
        # Called like a norm's factors there, which these are not.
        *(
            (rf"^model\.stages\.{stage}\.(\d+)\.gamma$", rf"feature.{2 * stage + 1}.\1.gamma_")
            for stage in range(4)
        ),
        *(
            (rf"^model\.stages\.{stage}\.(.+)$", rf"feature.{2 * stage + 1}.\1")
            for stage in range(4)
        ),
        (r"^model\.head\.(.+)$", r"classifier.\1"),
        (r"^model\.(.+)$", r"\1"),
    )
)


def _timm() -> Naming:
    plain = [("feature.0.0", "stem.0"), ("classifier", "head.fc")]
    norms = [("feature.0.1", "stem.1"), ("norm", "head.norm")]
    single = []
    for stage in range(4):
        here, there = f"feature.{2 * stage + 1}.{{}}", f"stages.{stage}.blocks.{{}}"
        plain += [(f"{here}.dwconv", f"{there}.conv_dw"), (f"{here}.pwconv1", f"{there}.mlp.fc1")]
        plain.append((f"{here}.pwconv2", f"{there}.mlp.fc2"))
        norms.append((f"{here}.norm", f"{there}.norm"))
        single.append((f"{here}.gamma_", f"{there}.gamma"))
        if stage:
            norms.append((f"feature.{2 * stage}.0", f"stages.{stage}.downsample.0"))
            plain.append((f"feature.{2 * stage}.1", f"stages.{stage}.downsample.1"))
    return Naming(tuple(plain), tuple(norms), tuple(single))


_TIMM = _timm()

FAMILY = Family(
    name="convnext",
    task="image-classification",
    builder="convnext",
    arguments={
        "depths": SEQUENCE,
        "dims": SEQUENCE,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "layer_scale": NUMBER_OR_NONE,
        "response_norm": bool,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TIMM.layout()},
    head="classifier",
    stem="feature.0.0",
    torchvision=_TIMM,
    torchvision_arguments={"exact_gelu": True},
    torchvision_difference=lambda arguments: (
        None if arguments.get("exact_gelu") else "GELU is approximated by tanh; timm's is exact"
    ),
)
