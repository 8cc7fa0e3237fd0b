"""How a two-stage detector is asked: for proposals, then what each of them is.

Source: the models repository's evaluation of Faster, Cascade and Mask R-CNN (Ren et al., 2015; Cai
and Vasconcelos, 2017; He et al., 2017). A network's parts are asked in turn: `proposals` for the
maps and the anchors' scores, `head` (or `head_1`, `head_2`, `head_3`, each for the boxes that the
one before gave) for regions' classes, and `masks` for what of a region is the object's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs.form import check_finite, sigmoid
from zoohub.running.runner import Runner
from zoohub.tasks.detection.regions.alignment import STRIDES, region_features
from zoohub.tasks.detection.regions.anchors import PYRAMID, Anchors, anchors_of
from zoohub.tasks.detection.regions.moving import HEAD, ONE, moved
from zoohub.tasks.detection.suppression import non_max_suppression

PROPOSALS, MASKS = "proposals", "masks"
HEADS = ("head", "head_1", "head_2", "head_3")
# The publisher's: anchors of a map that are looked at, proposals, and boxes of a picture.
_MOST_ANCHORS, _MOST_PROPOSALS, _MOST_BOXES = 1000, 1000, 100
_PROPOSAL_OVERLAP, _BOX_OVERLAP = 0.7, 0.5
_LEAST_SCORE = 0.05
_CELLS, _MASK_CELLS = 7, 14

_Array = NDArray[np.float32]
_Size = tuple[int, int]


def is_two_stage(runners: Mapping[str, Runner]) -> bool:
    """Whether these are the parts that `search_objects` asks."""
    return PROPOSALS in runners


def search_objects(runners: Mapping[str, Runner], images: _Array) -> dict[str, _Array]:
    """What is in pictures (N, 3, H, W): `detections` (n, 7) as `BoxTable` has them, the best of a
    picture first, and of a network with masks `masks` (n, 28, 28), probabilities over each box.

    Raises:
        DataError: a part gives inf or nan, of which the next would make no boxes at all.
    """
    rows: list[_Array] = []
    masks: list[_Array] = []
    for place, image in enumerate(images):
        raw = asked(runners[PROPOSALS], image=image[None])
        maps = [raw[f"map_{stride}"][0] for stride in STRIDES]
        size = (image.shape[-2], image.shape[-1])
        regions = proposals_of(raw, size)
        regions, scores, boxes, surest = seen_regions(runners, maps, regions, size)
        region, label, score = chosen_boxes(scores, boxes)
        rows.append(table_rows(place, boxes[region, label], score, label))
        if MASKS in runners:
            masks.append(_masks(runners[MASKS], maps, surest[region], label))
    found = {"detections": np.concatenate(rows)}
    if MASKS in runners:
        found["masks"] = np.concatenate(masks)
    return found


def asked(runner: Runner, **inputs: _Array) -> dict[str, _Array]:
    """What a part gives, all of it finite."""
    raw = runner.run(inputs)
    for values in raw.values():
        check_finite(values)
    return raw


def proposals_of(
    raw: Mapping[str, _Array],
    size: _Size,
    strides: Sequence[int] = (*STRIDES, 2 * STRIDES[-1]),
    kinds: Anchors = PYRAMID,
) -> _Array:
    """Where something may be, (n, 4): the best boxes of each map that overlap no better one of it,
    the best of all first."""
    boxes: list[_Array] = []
    scores: list[_Array] = []
    for stride in strides:
        logits, offsets = raw[f"logits_{stride}"][0], raw[f"offsets_{stride}"][0]
        flat = logits.transpose(1, 2, 0).reshape(-1)
        best = np.argsort(-flat, kind="stable")[:_MOST_ANCHORS]
        anchors = anchors_of(logits.shape[1], logits.shape[2], stride, kinds)[best]
        own = moved(anchors, offsets.transpose(1, 2, 0).reshape(-1, 4)[best], ONE, size)
        kept = _apart(own, _PROPOSAL_OVERLAP)
        boxes.append(own[kept])
        scores.append(flat[best][kept])
    order = np.argsort(-np.concatenate(scores), kind="stable")[:_MOST_PROPOSALS]
    return np.concatenate(boxes)[order]


def seen_regions(
    runners: Mapping[str, Runner], maps: Sequence[_Array], regions: _Array, size: _Size
) -> tuple[_Array, _Array, _Array, _Array]:
    """The regions that the last head saw (n, 4), their classes' scores (n, classes), boxes (n,
    classes, 4), and that of the likeliest class, the background among them (n, 4).

    Raises:
        DataError: there is no head, as in a stranger's file.
    """
    heads = [name for name in HEADS if name in runners]
    if not heads:
        raise DataError(
            f"the network has {PROPOSALS}, but none of the parts {', '.join(HEADS)} that say what "
            "they are; export it again (zoohub export)"
        )
    cascade = len(heads) > 1
    for place, name in enumerate(heads):
        features = region_features(maps, regions, _CELLS, last_pixel=cascade)
        raw = asked(runners[name], regions=features)
        logits = raw["class_logits"].astype(np.float32)
        offsets = _of_every_class(raw["offsets"], logits.shape[1])
        likeliest = offsets[np.arange(len(regions)), logits.argmax(axis=1)]
        surest = moved(regions, likeliest, HEAD, size)
        if place + 1 < len(heads):
            regions = surest
    return regions, *told_apart(regions, raw, size), surest


def told_apart(regions: _Array, raw: Mapping[str, _Array], size: _Size) -> tuple[_Array, _Array]:
    """What a head's `class_logits` and `offsets` say of regions (n, 4): scores (n, classes) and
    boxes (n, classes, 4) of all classes but the background."""
    logits = raw["class_logits"].astype(np.float32)
    offsets = _of_every_class(raw["offsets"], logits.shape[1])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = powers / powers.sum(axis=1, keepdims=True)
    classes = logits.shape[1] - 1
    repeated = regions.repeat(classes, axis=0)
    boxes = moved(repeated, offsets[:, 1:].reshape(-1, 4), HEAD, size).reshape(-1, classes, 4)
    return scores[:, 1:], boxes


def _of_every_class(offsets: _Array, classes: int) -> _Array:
    """(n, 4 · boxes) -> (n, classes, 4): where the background has no box of its own, it stays where
    it is."""
    own = offsets.reshape(len(offsets), -1, 4).astype(np.float32)
    if own.shape[1] == classes:
        return own
    return np.concatenate([np.zeros_like(own[:, :1]), own], axis=1)


def chosen_boxes(
    scores: _Array, boxes: _Array
) -> tuple[NDArray[np.int64], NDArray[np.int64], _Array]:
    """The regions, classes and scores of the boxes that stay, best first."""
    region, label = np.nonzero(scores > _LEAST_SCORE)
    order = np.argsort(-scores[region, label], kind="stable")
    region, label = region[order], label[order]
    kept = non_max_suppression(boxes[region, label], label, iou=_BOX_OVERLAP, limit=_MOST_BOXES)
    region, label = region[kept], label[kept]
    return region, label, scores[region, label]


def table_rows(place: int, boxes: _Array, scores: _Array, classes: NDArray[np.int64]) -> _Array:
    """Boxes (n, 4) of the picture at `place` as rows (n, 7), see `BoxTable`."""
    columns = (np.full(len(boxes), place), *boxes.T, scores, classes)
    return np.stack([column.astype(np.float32) for column in columns], axis=1)


def _masks(
    runner: Runner, maps: Sequence[_Array], regions: _Array, label: NDArray[np.int64]
) -> _Array:
    """How likely each of 28×28 cells of the regions is their object's."""
    if not len(regions):
        return np.empty((0, 2 * _MASK_CELLS, 2 * _MASK_CELLS), np.float32)
    features = region_features(maps, regions, _MASK_CELLS)
    logits = asked(runner, mask_regions=features)["mask_logits"]
    return sigmoid(logits[np.arange(len(regions)), label + 1].astype(np.float32))


def _apart(boxes: _Array, overlap: float) -> NDArray[np.intp]:
    """Those of boxes, best first, that overlap no better one that stays."""
    return non_max_suppression(boxes, np.zeros(len(boxes), np.int64), iou=overlap, limit=len(boxes))
