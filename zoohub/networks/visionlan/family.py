"""VisionLAN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family
from zoohub.networks.picture_sizes import Sides

_PREDICTION = "head.MLM_VRM.Prediction"

HEIGHT = 64
PLACES = 256


def sides(places: int) -> Sides:
    """The height and width of which there are so many places at 1/8."""
    return HEIGHT, places * 64 // HEIGHT


def _sides(arguments: Arguments) -> Sides:
    return sides(int(str(arguments.get("places", PLACES))))


FAMILY = Family(
    name="visionlan",
    task="scene-text-recognition",
    builder="visionlan",
    arguments={
        "num_classes": int,
        "steps": int,
        "depth": int,
        "intermediate_size": int,
        "places": int,
        "in_channels": int,
    },
    layouts={"mindocr": Layout()},
    head=f"{_PREDICTION}.w_vrm {_PREDICTION}.w_share",
    stem="backbone.conv1",
    constants=(r".*position_enc\.pos_table",),
    training_only=f"head.MLM_VRM.MLM {_PREDICTION}.pp_share {_PREDICTION}.w_share",
    raw=("characters",),
    outputs="zoohub.outputs.characters:VISION_LAN",
    sides=_sides,
)
