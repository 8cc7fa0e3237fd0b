"""What a run starts from: whose head it keeps, which run a name means, MindSpore's settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.errors import CheckpointCorrupt, DataError, RecipeError, ZoohubError
from zoohub.settings import load_settings
from zoohub.tasks.recipe import Recipe
from zoohub.training import parse_recipe
from zoohub.training.network import build_network, set_mode
from zoohub.training.session import open_session
from zoohub.training.starting_point import find_run

DIGITS = [str(digit) for digit in range(10)]


def folder(parent: Path, classes: list[str]) -> Path:
    for name in classes:
        (parent / name).mkdir(parents=True)
        for number in range(2):
            Image.new("L", (8, 8), number).save(parent / name / f"{number}.png")
    return parent


def starting(data: Path, said: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The weights a run from lenet5@digits on `data` begins with."""
    recipe = parse_recipe(
        f"model: lenet5\ncheckpoint: digits\ndata: {{kind: folder, path: {data}}}\nbatch_size: 8\n"
    )
    net = build_network(open_session(recipe), said.append)
    return {p.name: p.asnumpy() for p in net.get_parameters()}


@pytest.mark.parametrize(
    ("classes", "kept"), [(DIGITS, True), ([f"letter {c}" for c in "abcdefghij"], False)]
)
def test_a_head_stays_only_for_the_checkpoints_own_classes(
    tmp_path: Path, classes: list[str], kept: bool
) -> None:
    said: list[str] = []
    found = starting(folder(tmp_path / "data", classes), said)
    published = zoohub.load_weights("lenet5@digits")
    same = {name: bool((found[name] == published[name]).all()) for name in published}
    assert same.pop("fc3.weight") == kept
    same.pop("fc3.bias")
    assert all(same.values())
    assert len(said) == (0 if kept else 1)
    assert all(text.startswith("a new head for 10 classes; all else starts") for text in said)


def test_a_run_starts_from_the_moving_average_where_that_is_asked_for(tmp_path: Path) -> None:
    published = zoohub.load_weights("lenet5@digits")
    file = tmp_path / "both.ckpt"
    arrays = {**published, **{f"ema.{name}": array * 2 for name, array in published.items()}}
    ms.save_checkpoint([{"name": n, "data": ms.Tensor(a)} for n, a in arrays.items()], str(file))
    data = folder(tmp_path / "data", DIGITS)
    text = (
        f"model: lenet5\ncheckpoint: {file}\ndata: {{kind: folder, path: {data}}}\nbatch_size: 8\n"
    )
    for more, factor in (("", 1), ("start_ema: true\n", 2)):
        net = build_network(open_session(parse_recipe(text + more)))
        weight = net.conv1.weight.asnumpy()
        assert (weight == published["conv1.weight"] * factor).all()


def test_fresh_weights_have_no_average(tmp_path: Path) -> None:
    for what in ("lenet5", parse_recipe("model: lenet5\ndata: {kind: digits}\n")):
        with pytest.raises(RecipeError, match="fresh weights have no average"):
            zoohub.finetune(what, "digits", checkpoint=None, ema=True, output=tmp_path / "run")


def test_an_average_that_is_not_in_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZoohubError, match="average"):
        zoohub.finetune("lenet5@digits", "digits", ema=True, output=tmp_path / "run")


def test_a_reference_goes_before_a_run_of_the_same_name_unless_it_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("lenet5", "flowers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    settings = load_settings()
    assert find_run("lenet5", settings) is None
    assert find_run("tulips", settings) is None
    for name in ("./lenet5", "flowers", str(tmp_path / "flowers")):
        with pytest.raises(CheckpointCorrupt, match=r"run\.json: not a run's index"):
            find_run(name, settings)
    with pytest.raises(DataError, match="no finished run"):
        find_run("./nothing", settings)


RECIPE = parse_recipe("{model: lenet5, data: {kind: digits}}")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What MindSpore would be told on an Ascend device."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(ms, "set_context", told.update)
    monkeypatch.setattr(ms, "get_context", lambda name: {"device_target": "Ascend"}[name])
    return told


@pytest.mark.parametrize("mode", ["graph", "pynative"])
def test_mode_and_memory_pool_reach_mindspore(context: dict[str, Any], mode: Any) -> None:
    said: list[str] = []
    set_mode(replace(RECIPE, mode=mode, mempool_block_size="2GB"), said.append)
    wanted = ms.GRAPH_MODE if mode == "graph" else ms.PYNATIVE_MODE
    assert context == {"mode": wanted, "mempool_block_size": "2GB"}
    assert said == []


def test_a_memory_pool_is_not_for_cpus_and_its_size_is_checked() -> None:
    said: list[str] = []
    pool: Recipe = replace(RECIPE, mempool_block_size="2GB")
    set_mode(pool, said.append)
    assert said == ["mempool_block_size: MindSpore has no such pool on a CPU; left out"]
    with pytest.raises(RecipeError, match=r"expected a size such as 1GB or 0\.5GB, got '2'"):
        set_mode(replace(pool, mempool_block_size="2"), said.append)
