"""What of YOLOv8 is exported."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import Cut
from zoohub.networks.layers.cuts import cut_distances
from zoohub.networks.yolov8.masks import MaskHead


def cut_network(net: nn.Cell, *, decode: bool) -> Cut:
    """The boxes or the raw maps; of the networks with masks what masks are made of too."""
    cut = cut_distances(net, decode=decode)
    masked = [cell for _, cell in net.cells_and_names() if isinstance(cell, MaskHead)]
    if not masked:
        return cut
    maps = tuple(f"map_{level}" for level in range(len(masked[0].cv2)))
    made_of = ("coefficients", "prototypes")
    if not masked[0].decodes:
        return Cut((*maps, *made_of))
    return Cut(("masked_boxes", *maps, *made_of), ("masked_boxes", "prototypes"))
