"""The loss of masks is mindyolo's, on the same outputs and targets, and lowers itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import maps as drawn
import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.errors import RecipeError
from zoohub.networks.families import find_family
from zoohub.networks.family import LossRequest

DATA = Path(__file__).resolve().parents[2] / "data" / "mask_losses.json"
RECORDS = json.loads(DATA.read_text(encoding="utf-8"))["yolov8_masks"]
SMALL = {"size": "n", "width": 0.0625, "masks": True}
ALONE = {"box": 0.0, "classes": 0.0, "distances": 0.0}
FAMILY = find_family("yolov8")


def _loss(case: Any, **weights: float) -> Any:
    net = FAMILY.load()(**SMALL, num_classes=case.classes)
    assert FAMILY.loss is not None
    request = LossRequest(case.classes, case.size, weights=weights)
    return FAMILY.find(FAMILY.loss)(net, request)[1]


def _given(case: Any) -> tuple[Tensor, Tensor, Tensor]:
    coefficients = np.ascontiguousarray(case.coefficients().transpose(0, 2, 1))
    maps = drawn.flat(case.distances(), last=False)
    return Tensor(maps), Tensor(coefficients), Tensor(case.prototypes())


def _recorded(place: int) -> tuple[Any, dict[str, float]]:
    record = RECORDS[place]
    case = drawn.Case(**{**record["case"], "size": tuple(record["case"]["size"])})
    return case, record["parts"]


@pytest.mark.slow
def test_values_are_mindyolos() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    case, parts = _recorded(1)
    given, targets = _given(case), case.targets()
    # The targets of the others of a batch follow a part's own.
    step, owners = Tensor(np.concatenate([targets, targets])), Tensor(case.owners())
    value = _loss(case)(given, step, owners)
    assert float(value.asnumpy()) == pytest.approx(parts["loss"], rel=1e-5)
    masks = _loss(case, **ALONE)(given, Tensor(targets), owners)
    assert float(masks.asnumpy()) == pytest.approx(parts["lseg"], rel=1e-5)
    targets[:, :, 0] = -1
    nothing = _loss(case, **ALONE)(given, Tensor(targets), owners * 0)
    assert float(nothing.asnumpy()) == 0


@pytest.mark.slow
def test_compiled_it_is_the_same_and_its_slopes_lead_down() -> None:
    ms.set_context(mode=ms.GRAPH_MODE)
    case, parts = _recorded(0)
    maps, coefficients, prototypes = _given(case)
    loss, targets, owners = _loss(case), Tensor(case.targets()), Tensor(case.owners())

    def forward(coefficients: Tensor, prototypes: Tensor) -> Tensor:
        return loss((maps, coefficients, prototypes), targets, owners)

    step = ms.value_and_grad(forward, (0, 1))
    values = []
    for _ in range(4):
        value, (one, two) = step(coefficients, prototypes)
        values.append(float(value.asnumpy()))
        coefficients, prototypes = coefficients - 20 * one, prototypes - 20 * two
    assert values[0] == pytest.approx(parts["loss"], rel=1e-5)
    others = parts["loss"] - parts["lseg"]
    assert values[-1] - others < 0.8 * (values[0] - others), values


def test_recipes_are_told_the_weights_that_mindyolo_has() -> None:
    boxes = {"box": 7.5, "classes": 0.5, "distances": 1.5}
    assert FAMILY.weights_of(SMALL) == {**boxes, "masks": 7.5}
    assert FAMILY.weights_of({**SMALL, "masks": False}) == boxes


def test_a_loss_of_boxes_alone_weighs_no_masks() -> None:
    net = FAMILY.load()(size="n", width=0.0625, num_classes=3)
    assert FAMILY.loss is not None
    request = LossRequest(3, (64, 64), weights={"masks": 1.0})
    with pytest.raises(RecipeError, match=r"loss\.masks: YOLOv8's loss has no such part; it has b"):
        FAMILY.find(FAMILY.loss)(net, request)
