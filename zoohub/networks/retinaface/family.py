"""RetinaFace: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.`.
_MODELS = Layout(
    rules=(
        (r"^(?:network\.)?base\.(.+)\.down_sample_layer\.(.+)$", r"base.\1.down_sample.\2"),
        (r"^(?:network\.)?base\.end_point\.(.+)$", r"base.classifier.\1"),
        (r"^network\.(.+)$", r"\1"),
    )
)
FAMILY = Family(
    name="retinaface",
    task="object-detection",
    builder="retinaface",
    arguments={"in_channels": int, "decode": bool},
    layouts={"models": _MODELS},
    stem="base.conv1",
    raw=("offsets", "scores", "landmarks", "boxes", "points"),
    outputs="zoohub.outputs.boxes:scored_faces",
    cut="zoohub.networks.layers.cuts:cut_landmarks",
)
