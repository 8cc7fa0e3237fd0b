"""How to read what a network gives: decided once, by what its family or its file says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from zoohub.outputs.box_decoding import BoxDecoding
from zoohub.outputs.boxes import box_table, fractional_maps, packed_boxes
from zoohub.outputs.class_scores import class_scores
from zoohub.outputs.form import Read
from zoohub.outputs.raw_maps import raw_maps

# The one output of a detector's file with NMS: a row a box, not a row a picture.
DETECTIONS = "detections"


def choose_reading(
    names: Sequence[str], *, decoding: BoxDecoding | None = None, own: Read | None = None
) -> Read:
    """How outputs of these names become their canonical form.

    `own` is the family's function; None where the family is not known: files of zoohub's first
    version do not say it, and their outputs' names do. `decoding` is that of raw maps, which are
    exported without the family's last layer.
    """
    if tuple(names) == (DETECTIONS,):
        return box_table
    if decoding is not None:
        return partial(raw_maps, how=decoding)
    if own is not None:
        return own
    if tuple(names) == ("predictions",):
        return packed_boxes
    if names and names[0].startswith("predictions"):
        return fractional_maps
    return class_scores
