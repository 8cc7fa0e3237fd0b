"""Raw maps and targets for the losses, drawn by a seed: what `record.py` gave the peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Case:
    """Pictures of `size` with `boxes` each, of which the last has none; maps of `spread`."""

    seed: int
    size: tuple[int, int]
    classes: int
    boxes: int
    pictures: int = 3
    spread: float = 1.5
    most: int = 8

    def targets(self) -> Array:
        """(B, most, 5): class, centre and size in pixels; class -1 fills up."""
        random = np.random.default_rng([self.seed, 1])
        height, width = self.size
        found = np.full((self.pictures, self.most, 5), -1, np.float32)
        found[:, :, 1:] = 1.0
        for picture in range(self.pictures - 1):
            for place in range(self.boxes):
                w, h = np.exp(random.uniform(np.log(0.06), np.log(0.6), 2)) * (width, height)
                x = random.uniform(w / 2, width - w / 2)
                y = random.uniform(h / 2, height - h / 2)
                found[picture, place] = (random.integers(self.classes), x, y, w, h)
        return found

    def maps(
        self, shape: str, values: int, branch: int = 0, strides: Sequence[int] = STRIDES
    ) -> list[Array]:
        """One map a level: `shape` is a word of B, A, V, H, W in the network's order; A is 3."""
        random = np.random.default_rng([self.seed, 2, branch])
        sizes = {"B": self.pictures, "A": 3, "V": values}
        found = []
        for stride in strides:
            sizes |= {"H": self.size[0] // stride, "W": self.size[1] // stride}
            drawn = random.normal(0, self.spread, [sizes[letter] for letter in shape])
            found.append(drawn.astype(np.float32))
        return found

    def distances(self, branch: int = 0) -> list[Array]:
        """Maps of YOLOv8's kind that have learned something: (B, 64 + classes, H, W).

        Classes are rare, and each cell thinks of the sides of one of the boxes, not exactly.
        """
        random = np.random.default_rng([self.seed, 3, branch])
        targets = self.targets()
        found = self.maps("BVHW", 64 + self.classes, branch)
        for raw, stride in zip(found, STRIDES, strict=True):
            raw[:, 64:] -= 3
            _, _, height, width = raw.shape
            for picture, row, column in np.ndindex(self.pictures, height, width):
                _, x, y, w, h = targets[picture, random.integers(self.boxes)] / stride
                x, y = column + 0.5 - x, row + 0.5 - y
                sides = np.array([x + w / 2, y + h / 2, w / 2 - x, h / 2 - y])
                sides += random.normal(0, 0.3, 4)
                near = 6 * np.exp(-np.abs(np.arange(16) - sides[:, None]))
                raw[picture, :64, row, column] += near.reshape(-1)
        return found

    def coefficients(self) -> Array:
        """What the cells say of each of 32 prototypes, (B, 32, N). Both are such that sums of their
        products are exact in float16 too."""
        cells = sum((self.size[0] // stride) * (self.size[1] // stride) for stride in STRIDES)
        return self._coarse(5, (self.pictures, 32, cells))

    def prototypes(self) -> Array:
        """(B, 32, H / 4, W / 4)."""
        return self._coarse(6, (self.pictures, 32, self.size[0] // 4, self.size[1] // 4))

    def _coarse(self, stream: int, shape: tuple[int, ...]) -> Array:
        random = np.random.default_rng([self.seed, stream])
        return (random.integers(-4, 5, shape) / 8).astype(np.float32)

    def owners(self) -> Array:
        """Which target each pixel of (B, H / 4, W / 4) belongs to, plus 1: ellipses, the last on
        top; 0 where there is none."""
        found = np.zeros((self.pictures, self.size[0] // 4, self.size[1] // 4), np.int32)
        rows, columns = np.mgrid[: found.shape[1], : found.shape[2]] * 4 + 2
        for picture, targets in enumerate(self.targets()):
            for place, (label, x, y, w, h) in enumerate(targets):
                far = ((columns - x) * 2 / w) ** 2 + ((rows - y) * 2 / h) ** 2
                found[picture][(far < 1) & (label >= 0)] = place + 1
        return found

    def anchored(self, name: str) -> list[Array]:
        """Maps of YOLOv5's kind: (B, 3, H, W, 5 + classes), the auxiliary ones last."""
        strides = [8 * 2**level for level in range(len(ANCHORS[name]))]
        branches = 2 if name == "yolov7_auxiliary" else 1
        return [
            raw
            for branch in range(branches)
            for raw in self.maps("BAHWV", 5 + self.classes, branch, strides)
        ]

    def exponential(self) -> list[Array]:
        """Maps of YOLOv4's kind, from coarse to fine: (B, H, W, 3, 5 + classes)."""
        return self.maps("BHWAV", 5 + self.classes, strides=STRIDES[::-1])

    def free_boxes(self) -> list[Array]:
        """Maps of YOLOX's kind that have learned something: (B, 5 + classes, H, W)."""
        random = np.random.default_rng([self.seed, 4])
        targets = self.targets()
        found = self.maps("BVHW", 5 + self.classes)
        for raw, stride in zip(found, STRIDES, strict=True):
            _, _, height, width = raw.shape
            for picture, row, column in np.ndindex(self.pictures, height, width):
                _, x, y, w, h = targets[picture, random.integers(self.boxes)] / stride
                thought = (x - column, y - row, np.log(w), np.log(h))
                raw[picture, :4, row, column] = thought + random.normal(0, 0.3, 4)
        return found


# Of the networks in `test_losses.py`; (width, height) in pixels, from fine to coarse.
ANCHORS = {
    "yolov3": (
        (10, 13, 16, 30, 33, 23),
        (30, 61, 62, 45, 59, 119),
        (116, 90, 156, 198, 373, 326),
    ),
    "yolov7": (
        (10, 13, 16, 30, 33, 23),
        (30, 61, 62, 45, 59, 119),
        (116, 90, 156, 198, 373, 326),
    ),
    "yolov7_auxiliary": (
        (19, 27, 44, 40, 38, 94),
        (96, 68, 86, 152, 180, 137),
        (140, 301, 303, 264, 238, 542),
        (436, 615, 739, 380, 925, 792),
    ),
}


EXPONENTIAL = (
    ((142, 110), (192, 243), (459, 401)),
    ((36, 75), (76, 55), (72, 146)),
    ((12, 16), (19, 36), (40, 28)),
)


def exponential_decoded(case: Case) -> list[tuple[Array, Array, Array]]:
    """As mindyolo's YOLOv4 gives them in training: raw maps, centres and sizes as fractions."""
    found = []
    levels = zip(case.exponential(), EXPONENTIAL, STRIDES[::-1], (1.05, 1.1, 1.2), strict=True)
    for raw, anchors, stride, scale in levels:
        _, height, width, _, _ = raw.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)[:, :, None]
        inner = 1 / (1 + np.exp(-raw[..., :2])) * scale - (scale - 1) / 2
        sizes = np.exp(raw[..., 2:4]) * np.array(anchors) / (stride * np.array([width, height]))
        centres = (inner + grid) / (width, height)
        found.append((raw, centres.astype(np.float32), sizes.astype(np.float32)))
    return found


def free_boxes_in_pixels(case: Case) -> Array:
    """The same decoded, as mindyolo's head gives them: (B, N, 5 + classes)."""
    found = []
    for raw, stride in zip(case.free_boxes(), STRIDES, strict=True):
        _, _, height, width = raw.shape
        cells = raw.copy()
        cells[:, 0] = (raw[:, 0] + np.arange(width)) * stride
        cells[:, 1] = (raw[:, 1] + np.arange(height)[:, None]) * stride
        cells[:, 2:4] = np.exp(raw[:, 2:4]) * stride
        found.append(cells)
    return flat(found, last=False)


def peers_targets(case: Case) -> Array:
    """As mindyolo takes them: picture, class, then fractions of the width and height."""
    own = case.targets()
    height, width = case.size
    picture = np.broadcast_to(np.arange(len(own))[:, None, None], (*own.shape[:2], 1))
    boxes = own[:, :, 1:] / np.array([width, height, width, height])
    boxes[own[:, :, 0] < 0] = 0
    return np.concatenate((picture, own[:, :, :1], boxes), 2).astype(np.float32)


def flat(maps: list[Array], last: bool) -> Array:
    """What a loss takes of them: (B, N, V); `last` says whether a map's values come last."""
    if last:
        return np.concatenate([m.reshape(len(m), -1, m.shape[-1]) for m in maps], 1)
    return np.concatenate([m.reshape(*m.shape[:2], -1).transpose(0, 2, 1) for m in maps], 1)
