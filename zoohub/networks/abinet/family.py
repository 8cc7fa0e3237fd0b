"""ABINet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family
from zoohub.networks.picture_sizes import Sides

HEIGHT = 32
PLACES = 256


def sides(places: int) -> Sides:
    """The height and width of which there are so many places at 1/4."""
    return HEIGHT, places * 16 // HEIGHT


def _sides(arguments: Arguments) -> Sides:
    return sides(int(str(arguments.get("places", PLACES))))


FAMILY = Family(
    name="abinet",
    task="scene-text-recognition",
    builder="abinet",
    arguments={
        "num_classes": int,
        "steps": int,
        "depth": int,
        "language_depth": int,
        "intermediate_size": int,
        "places": int,
        "rounds": int,
        "in_channels": int,
    },
    layouts={"mindocr": Layout()},
    head=("backbone.vision.cls head.alignment.cls head.language.cls head.language.proj"),
    stem="backbone.vision.backbone.resnet.conv1",
    constants=(r".*\.pe",),
    training_only="head.language.cls",
    raw=("characters",),
    outputs="zoohub.outputs.characters:ABINET",
    sides=_sides,
)
