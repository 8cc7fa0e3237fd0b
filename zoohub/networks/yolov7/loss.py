"""The loss of YOLOv7: YOLOv5's, over the candidates that SimOTA chooses.

Source: Wang et al., "YOLOv7" (2022), as mindyolo has it.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest
from zoohub.networks.layers import anchor_training
from zoohub.networks.layers.anchor_candidates import AnchorCandidates, Candidates
from zoohub.networks.layers.anchor_head import AnchorHead
from zoohub.networks.layers.anchor_loss import AnchorLoss, AnchorWeights
from zoohub.networks.layers.loss_shells import FlatMaps
from zoohub.networks.yolov7.assign import CheapestCandidates
from zoohub.networks.yolov7.blocks import AuxiliaryHead, ImplicitHead

_AUXILIARY = 0.25


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`. What the request does not weigh counts as for the sizes from l on; tiny's
    weights are told by the family (`weights_of`).

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have.
    """
    head = anchor_training.head_of(net)
    own = AnchorWeights(objectness=0.7, classes=0.3)
    weights = anchor_training.anchor_weights(own, head, request, "YOLOv7")
    kind = AuxiliaryLoss if isinstance(head, AuxiliaryHead) else ChosenLoss
    return FlatMaps(net), kind(head, request, weights)


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """YOLOv5's start; what the outputs are multiplied by begins with 1, or they would be 0."""
    anchor_training.start_head(net, classes, size)
    head = anchor_training.head_of(net)
    assert isinstance(head, ImplicitHead)
    for implicit in head.im:
        ones = np.ones(implicit.implicit.shape, np.float32)
        implicit.implicit.set_data(Tensor(ones))
    if isinstance(head, AuxiliaryHead):
        for auxiliary, main in zip(head.m2, head.m, strict=True):
            auxiliary.bias.set_data(Tensor(main.bias.asnumpy().copy()))


class ChosenLoss(AnchorLoss):
    """`AnchorLoss` in which a box's candidates of all levels compete.

    Of a batch in parts, each part divides by its own number of answers: what is chosen of the
    others is not known.
    """

    most = 10  # candidates a box

    def __init__(self, head: AnchorHead, request: LossRequest, weights: AnchorWeights) -> None:
        anchors, strides, size = head.anchors.asnumpy(), head.strides, request.size
        super().__init__(anchors, strides, size, weights, request.label_smoothing, request.workers)
        self.assign = CheapestCandidates(self.candidates, self.most)

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        rows = self.rows(maps)
        found = self.answers(self.assign, rows, targets[: maps.shape[0]])
        box = objectness = classes = Tensor(0.0, ms.float32)
        for level in range(self.levels):
            parts = self.answered(rows[level], rows[level][:, 4], found[level])
            box = box + parts[0]
            objectness = objectness + parts[1] * self.balance[level]
            classes = classes + parts[2]
        return self.weighted(box, objectness, classes)

    def answers(
        self, assign: nn.Cell, rows: tuple[Tensor, ...], targets: Tensor
    ) -> tuple[Candidates, ...]:
        """Each level's candidates, chosen without a gradient."""
        still: tuple[Tensor, ...] = ()
        for part in rows:
            still = (*still, ops.stop_gradient(part))
        return assign(still, targets)

    def answered(
        self, flat: Tensor, objects: Tensor, found: Candidates
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A level's three losses, over the answers there are."""
        return self.level(flat, objects, found, self.share(found[1].sum(), 1))


class AuxiliaryLoss(ChosenLoss):
    """`ChosenLoss` of a head with an auxiliary branch, whose maps follow the main ones.

    The auxiliary branch's objectness is held to what the main one's boxes are worth, over more
    candidates, and counts a quarter; their boxes and classes count again. (Boxes and classes of
    the auxiliary branch itself are not taught in mindyolo, unlike in the paper.)
    """

    most = 20

    def __init__(self, head: AnchorHead, request: LossRequest, weights: AnchorWeights) -> None:
        super().__init__(head, request, weights)
        wide = AnchorCandidates(
            head.anchors.asnumpy(), head.strides, request.size, weights.anchor_ratio, True
        )
        self.assign_more = CheapestCandidates(wide, self.most)

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        own = targets[: maps.shape[0]]
        first, second = ops.split(maps, maps.shape[1] // 2, 1)
        rows, more = self.rows(first), self.rows(second)
        found = self.answers(self.assign, rows, own)
        found_more = self.answers(self.assign_more, rows, own)
        box = objectness = classes = Tensor(0.0, ms.float32)
        for level in range(self.levels):
            main = self.answered(rows[level], rows[level][:, 4], found[level])
            side = self.answered(rows[level], more[level][:, 4], found_more[level])
            box = box + main[0] + side[0] * _AUXILIARY
            objectness = objectness + (main[1] + side[1] * _AUXILIARY) * self.balance[level]
            classes = classes + main[2] + side[2] * _AUXILIARY
        return self.weighted(box, objectness, classes)
