"""YOLOv10: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family

FAMILY = Family(
    name="yolov10",
    task="object-detection",
    builder="yolov10",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "max_detections": int,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head="model.model.23.cv3 model.model.23.one2one_cv3",
    raw=("chosen", "map_*"),
    outputs="zoohub.outputs.boxes:chosen_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 7.5, "classes": 0.5, "distances": 1.5},
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_chosen",
    stem="model.model.0.conv",
    constants=(r"model\.model\.\d+\.(?:stride|dfl\.conv\.weight)",),
    multiple=32,
)
