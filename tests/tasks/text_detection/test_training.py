"""DBNet's loss is the paper's, and learning lowers it."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest

from zoohub.errors import DataError, RecipeError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.dbnet.loss import BinarizationLoss
from zoohub.tasks.recipe import recipe_text
from zoohub.tasks.text_detection.recipe import TextsData
from zoohub.tasks.text_detection.task import TASK
from zoohub.training import finetune

pytest.importorskip("cv2")
pytest.importorskip("shapely")

_spec = importlib.util.spec_from_file_location("example", Path(__file__).with_name("example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)

Maps = np.ndarray


def by_hand(probability: Maps, threshold: Maps, step: Maps, maps: Maps) -> float:
    """The loss of sections 3.4 and 3.5, pixel by pixel."""
    text, learnt, wanted, border = maps.transpose(1, 0, 2, 3)
    entropy = -(text * np.log(probability) + (1 - text) * np.log(1 - probability))
    with_text = entropy[(text == 1) & (learnt == 1)]
    without = np.sort(entropy[(text == 0) & (learnt == 1)])[::-1][: 3 * len(with_text)]
    balanced = (with_text.sum() + without.sum()) / (len(with_text) + len(without))
    apart = (np.abs(threshold - wanted) * border).sum() / border.sum()
    common = (step * text * learnt).sum()
    dice = 1 - 2 * common / ((step * learnt).sum() + (text * learnt).sum())
    return float(5 * balanced + 10 * apart + dice)


def drawn(text_share: float = 0.1) -> tuple[list[Maps], Maps]:
    random = np.random.default_rng(0)
    given = [random.uniform(0.05, 0.95, (2, 12, 16)).astype(np.float32) for _ in range(3)]
    maps = random.random((2, 4, 12, 16)).astype(np.float32)
    maps[:, 0] = maps[:, 0] < text_share
    maps[:, 1] = maps[:, 1] < 0.8
    maps[:, 3] = maps[:, 3] < 0.3
    return given, maps


@pytest.mark.parametrize("text_share", [0.1, 0.9])
def test_the_loss_is_that_of_the_paper(text_share: float) -> None:
    given, maps = drawn(text_share)
    outputs = tuple(ms.Tensor(each[:, None]) for each in given)
    found = BinarizationLoss()(outputs, ms.Tensor(maps)).asnumpy()
    assert found == pytest.approx(by_hand(*given, maps), rel=1e-4)


def test_a_batch_without_text_has_a_loss() -> None:
    given, maps = drawn(0.0)
    maps[:, 3] = 0
    outputs = tuple(ms.Tensor(each[:, None]) for each in given)
    assert BinarizationLoss()(outputs, ms.Tensor(maps)).asnumpy() == pytest.approx(1, abs=0.01)


def test_detectors_without_a_loss_say_so_before_anything_is_fetched() -> None:
    contract = InputContract(size=(64, 64))
    with pytest.raises(RecipeError, match="psenet cannot be trained: its family has no loss"):
        TASK.check_network(NetworkSpec("psenet"), contract)
    with pytest.raises(DataError, match="cannot be trained"):
        TASK.loss(BinarizationLoss(), None)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match=r"input\.size: .* multiples of 32"):
        TASK.check_network(NetworkSpec("dbnet"), InputContract(size=(720, 1280)))
    TASK.check_network(NetworkSpec("dbnet"), contract)


@pytest.mark.slow
def test_learning_lowers_the_loss(tmp_path: Path) -> None:
    source = example.write(tmp_path / "pages")
    data = TextsData("texts", str(source))
    recipe = TASK.default_recipe("m", None, data, example.CONTRACT, 10)
    recipe = dataclasses.replace(recipe, epochs=6, evaluate_every=6, batch_size=4)
    text = recipe_text(dataclasses.replace(recipe, network=None, input=None))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + example.NETWORK)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    history = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in history]
    assert losses[-1] < 0.8 * losses[0]
    entry = json.loads((run.path / "run.json").read_text())
    assert entry["model"]["input"]["resize"] == "at_most"
