"""Which of the candidates answer for which boxes in YOLOv7: SimOTA (see `layers/simota.py`).

As mindyolo has it, a little apart from the paper: a candidate answers for a box only where no
other box would cost it less, be it one that did not choose it.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_candidates import AnchorCandidates, Candidates
from zoohub.networks.layers.overlaps import plain_iou, split_boxes
from zoohub.networks.layers.simota import class_costs, wanted_counts

_FAR = 1000.0
_TINY = 1e-7


class CheapestCandidates(nn.Cell):
    """(each level's rows, targets (B, M, 5)) -> each level's `Candidates`, of which some answer.

    Rows are a level's raw maps (B·A·H·W, 5 + classes). A box gets as many candidates, over all
    levels, as the `most` best overlap it in sum: the cheapest. The mask tells which they are, and
    a candidate's box and class are those that it answers for, not those that made it one.
    """

    def __init__(self, candidates: AnchorCandidates, most: int) -> None:
        super().__init__(auto_prefix=False)
        self.candidates, self.most = candidates, most
        self.strides = candidates.strides

    def construct(self, rows: tuple[Tensor, ...], targets: Tensor) -> tuple[Candidates, ...]:
        """See the class."""
        batch, boxes, _ = targets.shape
        found: tuple[Candidates, ...] = ()
        placed: tuple[Tensor, ...] = ()
        chances: tuple[Tensor, ...] = ()
        masks: tuple[Tensor, ...] = ()
        for level, stride in enumerate(self.strides):
            candidates = self.candidates(targets, level)
            chosen = ops.gather(rows[level], candidates[0], 0)
            box = in_cells(chosen, candidates) * stride
            chance = ops.sqrt(ops.sigmoid(chosen[:, 5:]) * ops.sigmoid(chosen[:, 4:5]))
            found = (*found, candidates)
            placed = (*placed, ops.reshape(box, (batch, -1, 4)))
            chances = (*chances, ops.reshape(chance, (batch, -1, chance.shape[-1])))
            masks = (*masks, ops.reshape(candidates[1], (batch, -1)))
        which, positive = self.match(
            ops.concat(placed, 1), ops.concat(chances, 1), ops.concat(masks, 1), targets
        )

        picture = ops.reshape(ops.arange(batch).astype(ms.int32), (batch, 1))
        places, flat = which + picture * boxes, ops.reshape(targets, (-1, 5))
        answers: tuple[Candidates, ...] = ()
        start = 0
        for level, stride in enumerate(self.strides):
            where, _, column, row, _, anchor, _ = found[level]
            count = where.shape[0] // batch
            own = ops.gather(flat, ops.reshape(places[:, start : start + count], (-1,)), 0)
            mask = ops.reshape(positive[:, start : start + count], (-1,))
            start += count
            label = ops.maximum(own[:, 0], ops.zeros_like(own[:, 0])).astype(ms.int32)
            where = where * mask.astype(ms.int32)
            answers = (*answers, (where, mask, column, row, own[:, 1:] / stride, anchor, label))
        return answers

    def match(
        self, placed: Tensor, chances: Tensor, mask: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Each candidate's box in its picture, in int32, and 1 where it answers: both (B, n).

        Takes boxes (B, n, 4) in pixels, the chances of the classes (B, n, C), the mask (B, n).
        """
        most = targets.shape[1]
        labels = ops.maximum(targets[:, :, 0], ops.zeros_like(targets[:, :, 0])).astype(ms.int32)
        there = ops.expand_dims((targets[:, :, 0] >= 0).astype(ms.float32), -1)
        possible = ops.expand_dims(mask, 1) * there  # B, M, n
        x, y, w, h = split_boxes(ops.expand_dims(placed, 1))
        x2, y2, w2, h2 = split_boxes(ops.expand_dims(targets[:, :, 1:], 2))
        overlaps = plain_iou(x, y, w, h, x2, y2, w2, h2) * possible
        cost = class_costs(chances, labels) - 3.0 * ops.log(overlaps + _TINY)
        cost = cost * possible + _FAR * (1 - possible)
        cheapest, _ = ops.topk(-cost, self.most)
        last = ops.clamp(wanted_counts(overlaps, self.most) - 1, 0, self.most - 1)
        limit = -ops.gather_elements(cheapest, 2, last)
        order = ops.reshape(ops.arange(most).astype(ms.int32), (1, most, 1))
        least = ops.expand_dims(ops.argmin(cost, 1).astype(ms.int32), 1)
        chosen = (cost <= limit).astype(ms.float32) * possible
        chosen = chosen * (order == least).astype(ms.float32)
        return ops.argmax(chosen, 1).astype(ms.int32), ops.amax(chosen, 1)


def in_cells(raw: Tensor, candidates: Candidates) -> Tensor:
    """The boxes of raw rows (n, 5 + classes) at their candidates: centre and size (n, 4)."""
    _, _, column, row, _, anchor, _ = candidates
    sides = ops.sigmoid(raw[:, :4])
    x, y = sides[:, 0] * 2.0 - 0.5 + column, sides[:, 1] * 2.0 - 0.5 + row
    size = ops.square(sides[:, 2:4] * 2.0) * anchor
    return ops.stack((x, y, size[:, 0], size[:, 1]), -1)
