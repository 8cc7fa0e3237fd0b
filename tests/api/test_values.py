"""Every public function refuses values that mean nothing, in one line of zoohub's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.core.values import check_values, checked
from zoohub.errors import UsageError, ZoohubError

NAME = "lenet5@digits"
NAN = float("nan")


def predict(**given: Any) -> object:
    return zoohub.predict(NAME, "a.png", **given)


def evaluate(**given: Any) -> object:
    return zoohub.evaluate(NAME, "digits", **given)


def finetune(**given: Any) -> object:
    return zoohub.finetune(NAME, "digits", **given)


def export(**given: Any) -> object:
    return zoohub.export(NAME, "x.onnx", **given)


def load(**given: Any) -> object:
    return zoohub.load("resnet18", **given)


@pytest.mark.parametrize(
    ("function", "argument", "values"),
    [
        (predict, "top", [0, -1, 1.5, "3", True]),
        (predict, "threshold", [NAN, -0.1, 1.5, "0.5", True]),
        (predict, "iou", [NAN, 2, "0.5"]),
        (predict, "batch_size", [0, 2.0, None]),
        (predict, "save", [3, ""]),
        (predict, "progress", ["no", None, 1]),
        (predict, "offline", ["False", 0]),
        (predict, "device", ["gpu", 3, ""]),
        (evaluate, "batch_size", [0, -64, NAN, "64"]),
        (evaluate, "ema", ["yes", None]),
        (finetune, "epochs", [1.5, "3", 0]),
        (finetune, "lr", [NAN, float("inf"), "0.1", -1]),
        (finetune, "resume", ["yes", None]),
        (finetune, "workers", ["2", 1.5, None]),
        (finetune, "output", [3]),
        (finetune, "assignments", ["epochs=1", 3]),
        (export, "batch", [0, 1.5, None]),
        (export, "check", ["no", None]),
        (export, "size", ["64", 0, (64, 64, 3), 1.5]),
        (export, "dynamic", [3, [3]]),
        (load, "num_classes", [0, 2.5, "10", True]),
        (load, "out_indices", [3, "12", [1.5], [-1], [1, 9]]),
        (load, "dtype", [3, ""]),
        (load, "force", ["yes", None]),
    ],
)
def test_a_value_that_means_nothing_is_named_with_its_argument(
    function: Callable[..., object], argument: str, values: list[object]
) -> None:
    for value in values:
        # Feature maps are what `out_indices` is of.
        more = {"features_only": True} if argument == "out_indices" else {}
        with pytest.raises(ZoohubError, match=f"{argument}=") as caught:
            function(**{argument: value}, **more)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "wrong", "meant"),
    [
        (evaluate, "batchsize", "batch_size"),
        (finetune, "epohcs", "epochs"),
        (export, "bacth", "batch"),
        (zoohub.list_models, "tsk", "task"),
    ],
)
def test_an_argument_that_there_is_not_is_answered_with_the_closest(
    function: Callable[..., object], wrong: str, meant: str
) -> None:
    with pytest.raises(UsageError, match=f"no argument '{wrong}'; did you mean {meant}"):
        function(**{wrong: 1})


@pytest.mark.parametrize("name", [None, 3, b"lenet5", "", ["lenet5"], {}])
@pytest.mark.parametrize(
    "function",
    [zoohub.info, zoohub.download, zoohub.get_weights, zoohub.transforms, zoohub.search],
)
def test_a_name_is_a_text(function: Callable[..., object], name: object) -> None:
    with pytest.raises(UsageError, match="is needed"):
        function(name)


@pytest.mark.parametrize("given", [None, 3, {"a": 1}, object()])
def test_what_is_no_picture_is_refused_before_a_network_runs(given: object) -> None:
    with pytest.raises(ZoohubError, match="is no picture; give a path"):
        zoohub.predict(NAME, given)
    with pytest.raises(ZoohubError, match="is no picture; give a path"):
        zoohub.transforms(NAME)(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{}, 3, b"x", ""])
def test_a_run_starts_from_an_id_a_file_or_nothing(given: Any) -> None:
    with pytest.raises(UsageError, match="cannot start a run"):
        finetune(checkpoint=given)


def test_numbers_of_numpy_are_numbers_and_its_truth_is_truth() -> None:
    check_values({"top": np.int64(3), "threshold": np.float32(0.5), "ema": np.True_})


def test_none_is_right_only_where_it_is_the_default() -> None:
    @checked
    def asked(offline: bool | None = None, verify: bool = False) -> str:
        return f"{offline} {verify}"

    assert asked(None) == "None False"
    with pytest.raises(UsageError, match="verify=None: True or False is needed"):
        asked(verify=None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="too many positional arguments"):
        asked(True, True, True)  # type: ignore[call-arg]


def test_weights_of_ones_own_go_with_a_name(tmp_path: Path) -> None:
    net = zoohub.load(NAME)
    with pytest.raises(UsageError, match="this network has its weights"):
        zoohub.predict(net, np.zeros((32, 32), np.uint8), checkpoint={})
    with pytest.raises(UsageError, match="this network has its weights"):
        zoohub.export(net, tmp_path / "x.onnx", checkpoint={})
    with pytest.raises(UsageError, match="is a finished graph"):
        zoohub.predict("x.onnx", np.zeros((32, 32), np.uint8), checkpoint="my.ckpt")
    with pytest.raises(UsageError, match="num_classes= says how many classes checkpoint= has"):
        zoohub.predict(NAME, np.zeros((32, 32), np.uint8), num_classes=3)


@pytest.mark.slow
def test_the_contract_has_the_size_of_pictures_asked_for() -> None:
    published = zoohub.load("vit_b_32_224").zoohub.input
    assert zoohub.load("vit_b_32_224", image_size=256).zoohub.input.size == (256, 256)
    assert published is None or published.size == (224, 224)
