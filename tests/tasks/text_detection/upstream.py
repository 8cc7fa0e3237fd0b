"""The maps of MindOCR's post-processing cases, made by the rules that their files state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[2] / "data" / "text_detection"
Maps = NDArray[np.float32]


def cases(name: str, folder: Path = DATA) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return content


def _turned(
    shape: tuple[int, int], cx: float, cy: float, degrees: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    t = np.deg2rad(degrees)
    along = (x - cx) * np.cos(t) + (y - cy) * np.sin(t)
    return along, -(x - cx) * np.sin(t) + (y - cy) * np.cos(t)


def probability(said: dict[str, Any]) -> Maps:
    shape = (said["height"], said["width"])
    found, holes = np.full(shape, 0.05), []
    for cx, cy, w, h, degrees, value in said["rectangles"]:
        u, q = _turned(shape, cx, cy, degrees)
        away = np.maximum(np.abs(u) / (w / 2), np.abs(q) / (h / 2))
        if value < 0:
            holes.append(away <= 1)
        else:
            found = np.where(away <= 1, np.maximum(found, value * (1 - 0.25 * away)), found)
    for hole in holes:
        found[hole] = 0.1
    assert np.isclose(found.astype(np.float32).sum(dtype=np.float64), said["map_sum"])
    return found.astype(np.float32)


def kernels(said: dict[str, Any]) -> Maps:
    shape = (said["height"], said["width"])
    maps = np.full((7, *shape), -np.inf)
    for place, each in enumerate(maps):
        smaller = 1 - 0.1 * place
        for cx, cy, w, h, degrees, value in said["rectangles"]:
            u, q = _turned(shape, cx, cy, degrees)
            away = np.maximum(np.abs(u) / (smaller * w / 2), np.abs(q) / (smaller * h / 2))
            logit = np.clip(20 * (1 - away), -6, 6)
            np.maximum(each, np.where(logit > 0, logit * value, logit), out=each)
    assert np.isclose(maps.astype(np.float32).sum(dtype=np.float64), said["logit_sum"])
    return maps.astype(np.float32)


def turned_boxes(said: dict[str, Any]) -> tuple[Maps, Maps]:
    shape = (said["height"], said["width"])
    scores, boxes = np.zeros(shape), np.zeros((5, *shape))
    columns = np.mgrid[: shape[0], : shape[1]][1]
    for place, (cx, cy, w, h, degrees) in enumerate(said["rectangles"]):
        u, q = _turned(shape, cx, cy, degrees)
        here = (np.abs(u) <= 0.35 * w) & (np.abs(q) <= 0.35 * h)
        scores[here] = (0.95 - 0.02 * place - 0.001 * np.abs(u))[here]
        for side, away in enumerate((h / 2 + q, h / 2 - q, w / 2 + u, w / 2 - u)):
            boxes[side][here] = (4 * away + 0.3 * np.sin(0.7 * columns))[here]
        boxes[4][here] = -np.deg2rad(degrees)
    assert np.isclose(scores.astype(np.float32).sum(dtype=np.float64), said["score_sum"])
    assert np.isclose(boxes.astype(np.float32).sum(dtype=np.float64), said["geo_sum"])
    return scores.astype(np.float32), boxes.astype(np.float32)


def curves(said: dict[str, Any]) -> list[Maps]:
    random, levels = np.random.default_rng(2), []
    for level in said["levels"]:
        shape = (level["h"], level["w"])
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
        classes = np.empty((4, *shape))
        classes[0::2], classes[1::2] = 0.97, 0.03
        series = random.standard_normal((22, *shape)) * 0.02
        for cx, cy, rw, rh, a, b, score in level["blobs"]:
            here = (np.abs(x - cx) <= rw) & (np.abs(y - cy) <= rh)
            classes[1][here] = (score - 0.01 * np.abs(x - cx))[here]
            classes[0][here] = 1 - classes[1][here]
            classes[3][here], classes[2][here] = score, 1 - score
            series[6][here] += (a + b) / 2
            series[4][here] += (a - b) / 2
            series[5][here] += (cx - x)[here]
            series[16][here] += (cy - y)[here]
        levels.append(np.concatenate([classes, series]).astype(np.float32))
    sums = [level.sum(dtype=np.float64) for level in levels]
    assert np.allclose(sums, said["sums"])
    return levels
