"""What YOLOv8's outputs mean: boxes, and masks where the network has them."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.outputs.boxes import Boxes, scored_boxes
from zoohub.outputs.form import Array, Size
from zoohub.outputs.masked_boxes import MaskedBoxes, masked_boxes


def boxes_or_masks(raw: Mapping[str, Array], size: Size) -> Boxes | MaskedBoxes:
    """As the outputs' names say; see `masked_boxes` and `scored_boxes`."""
    return masked_boxes(raw, size) if "masked_boxes" in raw else scored_boxes(raw, size)
