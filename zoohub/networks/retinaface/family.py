"""RetinaFace: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family

# Files saved from the training graph carry `network.`.
_MODELS = Layout(
    rules=(
        (r"^(?:network\.)?base\.(.+)\.down_sample_layer\.(.+)$", r"base.\1.down_sample.\2"),
        (r"^(?:network\.)?base\.end_point\.(.+)$", r"base.classifier.\1"),
        (r"^network\.(.+)$", r"\1"),
    )
)
_NET = r"^(?:network\.)?"
# MindFace's spelling, and where its MobileNet has what.
_MINDFACE = Layout(
    rules=(
        *(
            (rf"{_NET}base\.stage{stage}\.{block}\.(.+)$", rf"base.features.{first + block}.\1")
            for stage, first, blocks in ((1, 2, range(1, 6)), (2, 8, range(6)), (3, 14, range(2)))
            for block in blocks
        ),
        (rf"{_NET}base\.stage1\.0\.(.+)$", r"base.features.\1"),
        *(
            (rf"{_NET}(ssh\d)\.conv{size}x{size}(.*)$", rf"\1.conv{size}X{size}\2")
            for size in (3, 5, 7)
        ),
        *(
            (rf"{_NET}{head.lower()}head\.(.+)$", rf"{head}Head.\1")
            for head in ("Class", "Bbox", "Landmark")
        ),
        *_MODELS.rules,
    ),
    drop=(rf"{_NET}base\.fc\..+",),
)


def _stem(arguments: Arguments) -> str:
    return "base.features.0" if arguments.get("backbone") == "mobilenet025" else "base.conv1"


FAMILY = Family(
    name="retinaface",
    task="object-detection",
    builder="retinaface",
    arguments={"in_channels": int, "decode": bool, "backbone": str},
    layouts={"models": _MODELS, "mindface": _MINDFACE},
    stem=_stem,
    raw=("offsets", "scores", "landmarks", "boxes", "points"),
    outputs="zoohub.outputs.boxes:scored_faces",
    cut="zoohub.networks.layers.cuts:cut_landmarks",
)
