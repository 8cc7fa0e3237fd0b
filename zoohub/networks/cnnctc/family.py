"""CNN-CTC: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="cnnctc",
    task="scene-text-recognition",
    builder="cnnctc",
    arguments={"num_classes": int, "in_channels": int},
    layouts={"models": Layout(rules=((r"^(.+)\.downsample\.(.+)$", r"\1.down_sample.\2"),))},
    head="Prediction",
    stem="FeatureExtraction.ConvNet.conv0_1",
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC_LOGITS",
    loss="zoohub.networks.layers.ctc:rows_loss",
)
