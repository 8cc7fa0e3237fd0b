"""Heads that say at each point of a map whether an object's centre is there, and the boxes of them.

Source: Zhou et al., "Objects as Points" (2019); the tolerance of a peak is the MindSpore models
repository's (research/cv/centernet_det).
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Constant

from zoohub.networks.layers.conv import conv2d

STRIDE = 4  # of the maps
_RARE = -2.19  # log of odds 1 : 9, a centre before training
_TOLERANCE = 1e-3


def branch(channels: int, hidden: int, outputs: int, rare: bool = False) -> nn.SequentialCell:
    """(B, channels, H, W) -> (B, outputs, H, W); logits of what is `rare` begin low."""
    last = nn.Conv2d(
        hidden, outputs, 1, has_bias=True, bias_init=Constant(_RARE) if rare else "zeros"
    )
    return nn.SequentialCell([conv2d(channels, hidden, 3, bias=True), nn.ReLU(), last])


class TopPoints(nn.Cell):
    """Heat logits (B, classes, h, w), sizes (B, 2, h, w) and offsets (B, 2, h, w), in pixels of the
    map -> the `count` best boxes (B, count, 6): corners in pixels of the input, score, class.

    A box is where the heat is highest among its eight neighbours: none is removed, though those
    that overlap are weakened when they are read (`zoohub.outputs.boxes.point_boxes`). The maps must
    have at least `count` values over all classes.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.neighbours = nn.MaxPool2d(3, 1, "same")

    def construct(self, heat: Tensor, sizes: Tensor, offsets: Tensor) -> Tensor:
        _, classes, high, wide = heat.shape
        scores = ops.sigmoid(heat)
        peak = self.neighbours(scores) - scores <= _TOLERANCE * scores
        scores = scores * peak.astype(mstype.float32)
        best, places = ops.topk(ops.reshape(scores, (-1, classes * high * wide)), self.count)
        cells = places % (high * wide)
        x, y = (cells % wide).astype(mstype.float32), (cells // wide).astype(mstype.float32)
        centre = self.at(offsets, cells) + ops.stack((x, y), 1)
        half = self.at(sizes, cells) / 2
        corners = STRIDE * ops.concat((centre - half, centre + half), 1)
        labels = (places // (high * wide)).astype(mstype.float32)
        rows = ops.concat((corners, ops.expand_dims(best, 1), ops.expand_dims(labels, 1)), 1)
        return ops.transpose(rows, (0, 2, 1))

    def at(self, maps: Tensor, cells: Tensor) -> Tensor:
        """The values of (B, 2, h, w) in `cells` (B, count): (B, 2, count)."""
        _, _, high, wide = maps.shape
        flat = ops.reshape(maps, (-1, 2, high * wide))
        return ops.gather_elements(flat, 2, ops.tile(ops.expand_dims(cells, 1), (1, 2, 1)))


class PointDetector(nn.Cell):
    """(B, in_channels, H, W) -> heat logits, sizes and offsets, and in evaluation mode the boxes.

    A subclass makes the cells, in the order of checkpoints, and gives the maps of each time it
    looks; the last count, and in training mode all are given.
    """

    def choose(self, count: int, decode: bool) -> None:
        """Say how many boxes, if any, are given."""
        self.decodes = decode
        self.boxes = TopPoints(count)

    def looks(self, x: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        """Heat logits, sizes and offsets, once or several times."""
        raise NotImplementedError

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        found = self.looks(x)
        if self.training:
            every: tuple[Tensor, ...] = ()
            for maps in found:
                every = (*every, *maps)
            return every
        heat, sizes, offsets = found[-1]
        if not self.decodes:
            return heat, sizes, offsets
        return heat, sizes, offsets, self.boxes(heat, sizes, offsets)
