"""The loss of detectors with anchors: which cells answer for which boxes, and how wrong they are.

Source: Ultralytics YOLOv5, release 6. Everything has a fixed shape, so that it compiles once:
targets are padded, and each gives the same number of candidates, most of them masked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_candidates import AnchorCandidates, Candidates
from zoohub.networks.layers.overlaps import complete_iou, cross_entropy, split_boxes


@dataclass(frozen=True, slots=True)
class AnchorWeights:
    """What each part of the loss counts for, by the names that recipes have; see `scaled`."""

    box: float = 0.05
    objectness: float = 1.0
    classes: float = 0.5
    anchor_ratio: float = 4.0

    def scaled(self, size: tuple[int, int], classes: int, levels: int) -> AnchorWeights:
        """The weights for an input of `size` (height, width), `classes` and `levels`, as YOLOv5's.

        Objectness is a mean over all cells: a small input has fewer that are empty, so that the
        same objects weigh more in it. The class loss is a mean over the classes. Without this an
        input of 96×96 would learn where the objects are not, and hardly anything else.
        """
        part = 3 / levels
        return replace(
            self,
            box=self.box * part,
            objectness=self.objectness * part * size[0] * size[1] / (640 * 640),
            classes=self.classes * part * classes / 80,
        )


def level_balance(levels: int) -> tuple[float, ...]:
    """What each level's objectness counts for, from fine to coarse: YOLOv5's figures."""
    return {3: (4.0, 1.0, 0.4), 4: (4.0, 1.0, 0.25, 0.06)}[levels]


class AnchorLoss(nn.Cell):
    """(flat maps (B, N, 5 + classes), targets (B, M, 5)) -> the loss, a scalar.

    A target is class, centre x, centre y, width, height in pixels of the input; class -1 fills
    up. The loss is the mean over the batch: YOLOv5's own is the sum, B times as much.

    Where several workers share a batch, or it is computed in parts, the mean of their losses is
    the loss of the whole batch. Of a batch in k parts, targets are (k·B, M, 5), all of this
    worker's, and those of the B pictures come first.
    """

    def __init__(
        self,
        anchors: np.ndarray,
        strides: Sequence[float],
        size: tuple[int, int],
        weights: AnchorWeights,
        label_smoothing: float = 0.0,
        workers: int = 1,
    ) -> None:
        """`anchors` are (levels, A, 2) in cells of their level; `size` is (height, width)."""
        super().__init__(auto_prefix=False)
        self.candidates = AnchorCandidates(anchors, strides, size, weights.anchor_ratio)
        grids, per_cell = self.candidates.grids, self.candidates.per_cell
        self.counts = tuple(per_cell * height * width for height, width in grids)
        self.levels = len(grids)
        self.weights = weights
        self.balance = level_balance(self.levels)
        self.right = 1.0 - 0.5 * label_smoothing
        self.wrong = 0.5 * label_smoothing
        self.workers = workers
        if workers > 1:
            self.reduce = ops.AllReduce()

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        batch = maps.shape[0]
        parts = targets.shape[0] // batch
        rows = self.rows(maps)
        box = objectness = classes = Tensor(0.0, ms.float32)
        for level in range(self.levels):
            part = rows[level]
            found = self.candidates(targets[:batch], level)
            everyone = found[1] if parts == 1 else self.candidates(targets, level)[1]
            count = self.share(everyone.sum(), parts)
            level_box, level_objectness, level_classes = self.level(part, part[:, 4], found, count)
            box = box + level_box
            objectness = objectness + level_objectness * self.balance[level]
            classes = classes + level_classes
        return self.weighted(box, objectness, classes)

    def weighted(self, box: Tensor, objectness: Tensor, classes: Tensor) -> Tensor:
        """The sum of the parts."""
        w = self.weights
        return box * w.box + objectness * w.objectness + classes * w.classes

    def rows(self, maps: Tensor) -> tuple[Tensor, ...]:
        """Each level's part of the flat maps: (B·A·H·W, values)."""
        rows: tuple[Tensor, ...] = ()
        for part in ops.split(maps, self.counts, 1):  # one pass back, where each slice has its own
            rows = (*rows, ops.reshape(part, (-1, maps.shape[-1])))
        return rows

    def level(
        self, flat: Tensor, objects: Tensor, found: Candidates, count: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One level's box, objectness and class loss.

        Takes rows (B·A·H·W, values), the objectness logits (B·A·H·W,), the candidates that
        answer, and what sums over them are divided by.
        """
        where, mask, column, row, wanted, anchor, label = found
        cells, values = flat.shape
        chosen = ops.gather(flat, where, 0)
        sides = ops.sigmoid(chosen[:, :4])
        centre = sides[:, :2] * 2.0 - 0.5
        size = ops.square(sides[:, 2:4] * 2.0) * anchor
        overlap = complete_iou(
            centre[:, 0] + column, centre[:, 1] + row, size[:, 0], size[:, 1], *split_boxes(wanted)
        )
        box = ((1.0 - overlap) * mask).sum() / count

        known = ops.stop_gradient(ops.maximum(overlap, ops.zeros_like(overlap)) * mask)
        # Where several boxes want one cell the best fit counts, in whatever order they come; cells
        # that none wants get the lowest number there is.
        best = ops.unsorted_segment_max(known, where, cells)
        truth = ops.maximum(best, ops.zeros_like(best))
        objectness = cross_entropy(objects, ops.stop_gradient(truth)).mean()

        classes = values - 5
        if classes == 1:  # nothing to tell apart
            return box, objectness, box * 0.0
        hot = ops.one_hot(
            label, classes, Tensor(self.right, ms.float32), Tensor(self.wrong, ms.float32)
        )
        wrong = cross_entropy(chosen[:, 5:], hot).mean(1)
        return box, objectness, (wrong * mask).sum() / count

    def share(self, count: Tensor, parts: int) -> Tensor:
        """What to divide the sum over a part's candidates by, of the `count` this worker has.

        Divided by its own count, the few objects of one part would weigh more than the many of
        another.
        """
        if self.workers > 1:
            count = self.reduce(count)
        return ops.maximum(count, Tensor(1.0, ms.float32)) / (self.workers * parts)
