"""Losses are mindyolo's, on the same maps and targets, and lower themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maps as drawn
import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from zoohub.errors import RecipeError
from zoohub.networks.families import find_family
from zoohub.networks.family import Family, LossRequest

DATA = Path(__file__).resolve().parents[2] / "data" / "losses.json"
RECORDED = json.loads(DATA.read_text(encoding="utf-8"))
SMALL: dict[str, Mapping[str, Any]] = {
    "yolov8": {"size": "n", "width": 0.0625, "depth": 0.33},
    "yolov9": {"size": "t", "width": 0.25},
    "yolov10": {"size": "n", "width": 0.125, "depth": 0.33},
    "yolov11": {"size": "n", "width": 0.125, "depth": 0.33},
    "yolox": {"size": "nano", "width": 0.125},
    "yolox_l1": {"size": "nano", "width": 0.125},
    "yolov3": {"width": 0.03125, "depth": 0.1},
    "yolov4": {"width": 0.03125, "depth": 0.1},
    "yolov7": {"size": "tiny", "width": 0.25},
    "yolov7_auxiliary": {"size": "w6", "width": 0.0625},
}
BRANCHES = {"yolov9": 2, "yolov10": 2}
# mindyolo's names of the parts, ours, and what they count for.
DISTANCES = {"lbox": ("box", 7.5), "lcls": ("classes", 0.5), "dfl": ("distances", 1.5)}
ANCHORED = {"lbox": ("box", 0.05), "lobj": ("objectness", 0.7), "lcls": ("classes", 0.3)}
FREE = {"lbox": ("box", 5.0), "lobj": ("objectness", 1.0), "lcls": ("classes", 1.0)}
PARTS = {
    "yolov4": {"lbox": ("box", 10.0), "lobj": ("objectness", 1.0), "lcls": ("classes", 1.0)},
    "yolox": {**FREE, "lboxl1": ("l1", 0.0)},
    "yolox_l1": {**FREE, "lboxl1": ("l1", 1.0)},  # of mindyolo's last epochs
    **dict.fromkeys(drawn.ANCHORS, ANCHORED),
}


def _family(name: str) -> Family:
    return find_family(name.partition("_")[0])


def _network(name: str, classes: int) -> nn.Cell:
    return _family(name).load()(**SMALL[name], num_classes=classes)


def _loss(name: str, net: nn.Cell, case: Any, **weights: float) -> nn.Cell:
    """With mindyolo's weights, which it scales in networks with an auxiliary branch alone: for
    1280 pixels."""
    family = _family(name)
    assert family.loss is not None
    if name in drawn.ANCHORS:
        weights = {own: weights.get(own, weight) for own, weight in ANCHORED.values()}
        auxiliary = name == "yolov7_auxiliary"
        area = (1280 if auxiliary else 640) ** 2
        weights["objectness"] *= area / (case.size[0] * case.size[1])
        weights["classes"] *= 1 if auxiliary else 80 / case.classes
    if name == "yolox_l1":
        weights = {"l1": 1.0, **weights}
    request = LossRequest(case.classes, case.size, weights=weights)
    loss: nn.Cell = family.find(family.loss)(net, request)[1]
    return loss


def _maps(name: str, case: Any) -> Tensor:
    if name in drawn.ANCHORS:
        return Tensor(drawn.flat(case.anchored(name), last=True))
    if name == "yolov4":
        return Tensor(drawn.flat(case.exponential(), last=True))
    if name.startswith("yolox"):
        return Tensor(drawn.flat(case.free_boxes(), last=False))
    found = [drawn.flat(case.distances(b), last=False) for b in range(BRANCHES.get(name, 1))]
    return Tensor(np.concatenate(found, 1))


def _expected(record: Any, name: str) -> float:
    """mindyolo's loss, in YOLOv4's without the object that the first cell always has there."""
    value: float = record["parts"]["loss"]
    if name != "yolov4":
        return value
    case = _case(record)
    return value + sum(float(raw[0, 0, 0, 0, 4]) for raw in case.exponential()) / case.pictures


def _case(record: Any) -> Any:
    return drawn.Case(**{**record["case"], "size": tuple(record["case"]["size"])})


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_values_are_mindyolos(name: str) -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    record = RECORDED[name][1]
    case = _case(record)
    loss = _loss(name, _network(name, case.classes), case)
    value = loss(_maps(name, case), Tensor(case.targets()))
    assert float(value.asnumpy()) == pytest.approx(_expected(record, name), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_boxes_alone_cost_what_they_do_in_mindyolo(name: str) -> None:
    """The other parts are larger, and would hide a difference."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    record = RECORDED[name][2]
    case, parts = _case(record), PARTS.get(name, DISTANCES)
    others = {own: 0.0 for own, _ in parts.values() if own not in ("box", "distances")}
    loss = _loss(name, _network(name, case.classes), case, **others)
    value = loss(_maps(name, case), Tensor(case.targets()))
    expected = record["parts"]["lbox"] + record["parts"].get("dfl", 0)
    assert float(value.asnumpy()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_compiled_it_is_the_same_and_its_slopes_lead_down(name: str) -> None:
    ms.set_context(mode=ms.GRAPH_MODE)
    record = RECORDED[name][0]
    case = _case(record)
    step = ms.value_and_grad(_loss(name, _network(name, case.classes), case), 0)
    maps, targets = _maps(name, case), Tensor(case.targets())
    values = []
    for _ in range(6):
        value, slopes = step(maps, targets)
        values.append(float(value.asnumpy()))
        assert np.isfinite(slopes.asnumpy()).all()
        maps = maps - slopes * (3 / np.linalg.norm(slopes.asnumpy()).item())
    assert values[0] == pytest.approx(_expected(record, name), rel=1e-5)
    assert values[-1] < 0.95 * values[0], values


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_pictures_without_boxes_have_a_loss(name: str) -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    case = _case(RECORDED[name][0])
    targets = case.targets()
    targets[:, :, 0] = -1
    loss = _loss(name, _network(name, case.classes), case)
    value, slope = ms.value_and_grad(loss, 0)(_maps(name, case), Tensor(targets))
    assert 0 < float(value.asnumpy()) < 1e6
    assert np.isfinite(slope.asnumpy()).all()


@pytest.mark.parametrize("name", sorted(set(RECORDED) - {"yolox_l1"}))
def test_recipes_are_told_the_weights_that_mindyolo_has(name: str) -> None:
    wanted = dict(PARTS.get(name, DISTANCES).values())
    if name == "yolov7":  # tiny, which mindyolo's configuration weighs as YOLOv5
        wanted = {"box": 0.05, "objectness": 1.0, "classes": 0.5}
    told = dict(_family(name).weights_of(SMALL[name]))
    told.pop("anchor_ratio", None)
    assert told == wanted


def test_a_recipe_that_weighs_what_a_loss_has_not_is_told_what_it_has() -> None:
    case = drawn.Case(5, (64, 64), 3, 2)
    with pytest.raises(RecipeError, match=r"loss\.objectness: YOLOv8's loss has no such part; it "):
        _loss("yolov8", _network("yolov8", 3), case, objectness=1.0)


def test_labels_are_not_smoothed_in_silence() -> None:
    family = find_family("yolov8")
    assert family.loss is not None
    request = LossRequest(3, (64, 64), label_smoothing=0.1)
    with pytest.raises(RecipeError, match="label_smoothing: YOLOv8's loss has none"):
        family.find(family.loss)(_network("yolov8", 3), request)
