"""How much boxes overlap, and how wrong logits are: what the detectors' losses share."""

from __future__ import annotations

import math

from mindspore import Tensor, ops

_TINY = 1e-7


def split_boxes(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(…, 4) -> four of (…)."""
    return boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]


def smaller(a: Tensor, b: Tensor) -> Tensor:
    """The smaller of each two; shapes are broadcast."""
    return ops.minimum(*_of_one_shape(a, b))


def larger(a: Tensor, b: Tensor) -> Tensor:
    """The larger of each two; shapes are broadcast."""
    return ops.maximum(*_of_one_shape(a, b))


def _of_one_shape(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """MindSpore's minimum and maximum of other shapes take twelve times as long on a CPU as making
    them one: 21 ms for half a million pairs, where a sum takes 0.7."""
    if a.shape == b.shape:
        return a, b
    return a + ops.zeros_like(b), b + ops.zeros_like(a)


def shared_area(
    x: Tensor, y: Tensor, w: Tensor, h: Tensor, x2: Tensor, y2: Tensor, w2: Tensor, h2: Tensor
) -> Tensor:
    """The area that boxes by centre and size have in common; shapes are broadcast."""
    across = smaller(x + w / 2, x2 + w2 / 2) - larger(x - w / 2, x2 - w2 / 2)
    down = smaller(y + h / 2, y2 + h2 / 2) - larger(y - h / 2, y2 - h2 / 2)
    return ops.relu(across) * ops.relu(down)


def plain_iou(
    x: Tensor, y: Tensor, w: Tensor, h: Tensor, x2: Tensor, y2: Tensor, w2: Tensor, h2: Tensor
) -> Tensor:
    """Intersection over union of boxes by centre and size; shapes are broadcast."""
    shared = shared_area(x, y, w, h, x2, y2, w2, h2)
    return shared / (w * h + w2 * h2 - shared + _TINY)


def generalized_iou(
    x: Tensor, y: Tensor, w: Tensor, h: Tensor, x2: Tensor, y2: Tensor, w2: Tensor, h2: Tensor
) -> Tensor:
    """Generalized IoU (Rezatofighi et al. 2019) by centre and size; shapes are broadcast."""
    shared = shared_area(x, y, w, h, x2, y2, w2, h2)
    union = w * h + w2 * h2 - shared + _TINY
    outer_w = larger(x + w / 2, x2 + w2 / 2) - smaller(x - w / 2, x2 - w2 / 2)
    outer_h = larger(y + h / 2, y2 + h2 / 2) - smaller(y - h / 2, y2 - h2 / 2)
    outer = outer_w * outer_h + _TINY
    return shared / union - (outer - union) / outer


def complete_iou(
    x: Tensor, y: Tensor, w: Tensor, h: Tensor, x2: Tensor, y2: Tensor, w2: Tensor, h2: Tensor
) -> Tensor:
    """Complete IoU (Zheng et al. 2020) of boxes by centre and size; shapes are broadcast.

    The weight of the term for the shape is taken as given: no gradient goes through it.
    """
    shared = shared_area(x, y, w, h, x2, y2, w2, h2)
    overlap = shared / (w * h + w2 * h2 - shared + _TINY)
    outer_w = larger(x + w / 2, x2 + w2 / 2) - smaller(x - w / 2, x2 - w2 / 2)
    outer_h = larger(y + h / 2, y2 + h2 / 2) - smaller(y - h / 2, y2 - h2 / 2)
    apart = ((x - x2) ** 2 + (y - y2) ** 2) / (outer_w**2 + outer_h**2 + _TINY)
    angle = ops.atan(w2 / (h2 + _TINY)) - ops.atan(w / (h + _TINY))
    shape = (4 / math.pi**2) * angle**2
    weight = ops.stop_gradient(shape / (shape - overlap + (1 + _TINY)))
    return overlap - (apart + weight * shape)


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Binary cross entropy of each logit, without overflow."""
    size = ops.abs(logits)
    # The larger of a logit and 0, by a sum: at 0 its gradient is a half, and the whole's is right.
    return (logits + size) / 2 - logits * truth + ops.log(1 + ops.exp(-size))
