"""RetinaNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.`; ResNet-50's have the backbone and the
# pyramid at the top.
_BACKBONE = r"^(?:network\.)?(?:fpn\.)?backbone"
_BLOCK = rf"{_BACKBONE}\.(layer\d\.\d+)"
_NECK = r"^(?:network\.)?neck"
_MODELS = Layout(
    rules=(
        (rf"{_BACKBONE}\.conv1\.features\.0\.(.+)$", r"fpn.backbone.conv1.\1"),
        (rf"{_BACKBONE}\.conv1\.features\.1\.(.+)$", r"fpn.backbone.bn1.\1"),
        (rf"{_BLOCK}\.conv([12])\.features\.0\.(.+)$", r"fpn.backbone.\1.conv\2.\3"),
        (rf"{_BLOCK}\.conv([12])\.features\.1\.(.+)$", r"fpn.backbone.\1.bn\2.\3"),
        (rf"{_BLOCK}\.conv3\.conv\.(.+)$", r"fpn.backbone.\1.conv3.\2"),
        (rf"{_BLOCK}\.conv3\.batchnorm\.(.+)$", r"fpn.backbone.\1.bn3.\2"),
        (rf"{_BLOCK}\.down_sample_layer\.conv\.(.+)$", r"fpn.backbone.\1.down_sample.0.\2"),
        (rf"{_BLOCK}\.down_sample_layer\.batchnorm\.(.+)$", r"fpn.backbone.\1.down_sample.1.\2"),
        (rf"{_BLOCK}\.down_sample_layer\.([01])\.(.+)$", r"fpn.backbone.\1.down_sample.\2.\3"),
        (rf"{_BACKBONE}\.(.+)$", r"fpn.backbone.\1"),
        *(
            (
                rf"{_NECK}\.(lateral_convs\.\d|extra_\w+\.\d\.0)\.{part}\.(.+)$",
                rf"fpn.\1.{place}.\2",
            )
            for place, part in enumerate(("conv", "batchnorm"))
        ),
        *(
            (
                rf"{_NECK}\.(fpn_stages\.\d)\.{place}\.out_conv\.features\.(.+)$",
                rf"fpn.\1.convs.{own}.\2",
            )
            # The places between merge maps without a convolution.
            for own, place in enumerate((0, 1, 2, 3, 5, 7, 8))
        ),
        (r"^(?:network\.)?head\.(multi_\w+_layers\.\d)\.feats\.(.+)$", r"multi_box.\1.\2"),
        (r"^(?:network\.)?(?:fpn\.)?(P\d_\d)\.(.+)$", r"fpn.\1.\2"),
        (r"^network\.(.+)$", r"\1"),
    )
)
FAMILY = Family(
    name="retinanet",
    task="object-detection",
    builder="retinanet",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "base_channels": int,
        "pyramid": str,
    },
    layouts={"models": _MODELS},
    head=" ".join(f"multi_box.multi_cls_layers.{level}.8" for level in range(5)),
    stem="fpn.backbone.conv1",
    raw=("offsets", "logits", "boxes"),
    outputs="zoohub.outputs.boxes:scored_boxes",
    cut="zoohub.networks.layers.cuts:cut_logits",
    multiple=lambda arguments: 128 if arguments.get("pyramid") == "nas" else 1,
)
