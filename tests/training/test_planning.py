"""What the user says of a run, and what it means: nothing said is dropped without a word."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.checkpoint import load_weights, write_ckpt
from zoohub.errors import CheckpointMismatch, RecipeError
from zoohub.manifest.entry import InputContract
from zoohub.settings import load_settings
from zoohub.tasks.classification.recipe import ClassificationRecipe, FolderData
from zoohub.tasks.detection.recipe import DetectionRecipe, ScenesData
from zoohub.tasks.recipe import Input, data_of, recipe_text
from zoohub.training import finetune, parse_recipe
from zoohub.training.finetuning import plan_recipe
from zoohub.training.memory import next_smaller
from zoohub.training.options import Machines, Overrides
from zoohub.training.planning import (
    data_name,
    model_and_checkpoint,
    note_unused,
    with_checkpoint,
)
from zoohub.training.reports import EpochReport, StepReport
from zoohub.training.starting_point import find_start


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label, name in enumerate(("dark", "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            picture = Image.new("L", (8, 8), 200 * label + number)
            picture.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def test_a_checkpoint_named_with_the_model_gives_way_to_the_one_asked_for() -> None:
    assert model_and_checkpoint("lenet5", "default") == ("lenet5", "default")
    assert model_and_checkpoint("lenet5@digits", "default") == ("lenet5", "digits")
    # The name still says which network it is.
    assert model_and_checkpoint("lenet5@digits", None) == ("lenet5@digits", None)
    assert model_and_checkpoint("lenet5@digits", "./own.ckpt") == ("lenet5@digits", "./own.ckpt")
    assert model_and_checkpoint("./runs/a@b", None) == ("./runs/a@b", None)
    with pytest.raises(RecipeError, match="lenet5@digits names a checkpoint already"):
        model_and_checkpoint("lenet5@digits", "r1.10-mnist")


def test_a_recipe_starts_from_other_weights_where_they_are_asked_for() -> None:
    data = FolderData("folder", "photos")
    recipe = ClassificationRecipe(model="lenet5", checkpoint="digits", data=data)
    assert with_checkpoint(recipe, "default") is recipe
    scratch = with_checkpoint(recipe, None)
    assert (scratch.model, scratch.checkpoint) == ("lenet5@digits", None)
    explicit, start = find_start(scratch, load_settings())
    assert start.path is None
    assert explicit.network is not None
    assert start.contract.size == (32, 32)


def test_a_transformer_is_made_for_the_pictures_size_that_the_recipe_asks_for(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.ckpt"
    own.touch()
    data, larger = FolderData("folder", "photos"), Input(size=(256, 256))
    recipe = ClassificationRecipe(
        model="vit_b_32_224", checkpoint=str(own), data=data, input=larger
    )
    explicit, start = find_start(recipe, load_settings())
    assert start.spec.arguments["image_size"] == 256
    assert start.resized
    again, start = find_start(explicit, load_settings())
    assert (again, start.spec.arguments["image_size"]) == (explicit, 256)
    _, start = find_start(replace(recipe, input=None), load_settings())
    assert "image_size" not in start.spec.arguments
    assert not start.resized


def test_a_recipes_input_says_all_that_a_contract_says_of_pictures() -> None:
    contract, given = ({f.name for f in fields(kind)} for kind in (InputContract, Input))
    # Those follow from the colour and from what can be trained, or are no matter of pictures.
    assert contract - given == {"channels", "layout", "provenance", "text"}
    assert given < contract


@pytest.mark.parametrize(
    ("model", "align", "fill"),
    [
        ("yolox_darknet53@r1.10", "corner", None),
        ("efficientdet_d0", "corner", (124, 116, 104)),
        ("yolov5n", "centre", None),
    ],
)
def test_a_run_sees_pictures_where_its_base_saw_them(
    model: str, align: str, fill: tuple[int, ...] | None, tmp_path: Path
) -> None:
    own = tmp_path / "own.ckpt"
    own.touch()
    recipe = DetectionRecipe(
        task="object-detection",
        model=model,
        checkpoint=str(own),
        data=ScenesData("digit-scenes"),
    )
    explicit, start = find_start(recipe, load_settings())
    _, again = find_start(parse_recipe(recipe_text(explicit)), load_settings())
    assert (again.contract.align, again.contract.fill) == (align, fill)
    assert replace(again.contract, provenance=None) == replace(start.contract, provenance=None)


def test_a_file_to_start_from_is_recorded_as_that_file(tmp_path: Path) -> None:
    own = tmp_path / "own.ckpt"
    own.touch()
    data = FolderData("folder", "photos")
    recipe = ClassificationRecipe(model="lenet5@digits", checkpoint=str(own), data=data)
    explicit, start = find_start(recipe, load_settings())
    assert start.path == own
    assert explicit.checkpoint == str(own)
    again, start = find_start(explicit, load_settings())
    assert (again, start.path) == (explicit, own)


def test_a_file_without_averages_is_refused_before_a_run_begins(tmp_path: Path) -> None:
    own = tmp_path / "own.ckpt"
    plain = {"conv1.weight": np.zeros((6, 1, 5, 5), np.float32)}
    write_ckpt(own, plain)
    recipe = ClassificationRecipe(
        model="lenet5@digits", checkpoint=str(own), data=FolderData("folder", "photos"),
        start_ema=True,
    )  # fmt: skip
    with pytest.raises(CheckpointMismatch, match=r"own\.ckpt has no averaged weights"):
        find_start(recipe, load_settings())
    write_ckpt(own, {**plain, **{f"ema.{name}": array for name, array in plain.items()}})
    assert find_start(recipe, load_settings())[1].path == own


def test_a_run_needs_somebody_to_train() -> None:
    Machines().check()
    Machines(2, 1, "127.0.0.1").check()
    for workers, nodes, option in ((0, 1, "--workers"), (-2, 1, "--workers"), (1, 0, "--nodes")):
        with pytest.raises(RecipeError, match=f"{option}: expected a number from 1"):
            Machines(workers, nodes).check()
    with pytest.raises(RecipeError, match="--master node0: say how many machines"):
        Machines(1, 1, "node0").check()


def test_a_detector_is_not_given_folders_of_classes(data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"yolov5n \(object-detection\) learns from pictures with"
    ):
        finetune("yolov5n@digits", data, output=tmp_path / "run")
    (tmp_path / "data.yaml").write_text(f"train: {data}\nval: {data}\nnames: [dark, light]\n")
    for picture in data.rglob("*.png"):
        picture.with_suffix(".txt").write_text("0 0.5 0.5 0.5 0.5\n")
    with pytest.raises(RecipeError, match="learns from pictures with labels: a folder a class"):
        finetune("lenet5@digits", tmp_path / "data.yaml", output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_settings_that_a_resumed_run_does_not_use_are_said() -> None:
    recipe = parse_recipe("model: lenet5\ndata: {kind: digits}\nepochs: 5")
    said: list[str] = []
    note_unused(recipe, said.append, Overrides())
    note_unused(recipe, said.append, Overrides(epochs=5, assignments=["seed=0"]))
    assert said == []
    note_unused(recipe, said.append, Overrides(epochs=50))
    note_unused(recipe, said.append, Overrides(assignments=["optimizer.lr=0.5"]))
    assert len(said) == 2
    assert said[0].startswith("a resumed run keeps its own settings")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sets/flowers.v2", "flowers.v2"),
        ("sets/flowers.csv", "flowers"),
        ("sets/tools/data.yaml", "tools"),
        ("sets/tools/scenes.yaml", "scenes"),
    ],
)
def test_a_run_is_named_after_its_data(path: str, name: str) -> None:
    assert data_name(path) == name


@pytest.mark.slow
def test_what_is_set_by_name_stays_and_fresh_weights_are_fresh(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run = finetune(
        "lenet5@digits", data, output=tmp_path / "run", checkpoint=None, epochs=5, batch_size=4,
        assignments=["optimizer.lr=0.001", "schedule.warmup=3", "epochs=1"], say=said.append,
    )  # fmt: skip
    assert not any("all else starts from" in text for text in said)
    recipe = parse_recipe((run.path / "recipe.yaml").read_text())
    assert (recipe.optimizer.lr, recipe.schedule.warmup, recipe.epochs) == (0.001, 3.0, 1)
    assert (recipe.model, recipe.checkpoint) == ("lenet5@digits", None)


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no number any more at step \d+ .*lower rate \(--lr\)"):
        finetune("lenet5@digits", data, output=tmp_path / "run", epochs=3, lr=1e15)
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.slow
def test_where_the_memory_ends_late_the_run_goes_on_from_what_was_saved(
    data: Path, tmp_path: Path
) -> None:
    steps: list[StepReport] = []
    epochs: list[EpochReport] = []
    said: list[str] = []

    def full(report: StepReport) -> None:
        steps.append(report)
        if report.epoch == 3 and not said[-1].startswith("12 samples"):
            raise MemoryError

    recipe = parse_recipe(
        f"model: lenet5\ncheckpoint: digits\ndata: {{kind: folder, path: {data}}}\nbatch_size: 12\n"
        "augment: {mixup: 0.4}\nepochs: 4\noptimizer: {name: sgd, lr: 0.001}\n"
    )
    whole = finetune(recipe, output=tmp_path / "whole")
    run = finetune(
        recipe, output=tmp_path / "run", on_step=full, on_epoch=epochs.append, say=said.append
    )
    assert [report.epoch for report in epochs] == [1, 2, 3, 4]
    assert any("computing 6 at a time" in text for text in said)
    # Mixed as the whole batch is, in parts of any size.
    lines = [json.loads(line)["loss"] for line in (run.path / "metrics.jsonl").open()]
    expected = [json.loads(line)["loss"] for line in (whole.path / "metrics.jsonl").open()]
    assert lines == pytest.approx(expected, rel=1e-4)
    weights, others = (load_weights(folder / "last.ckpt") for folder in (run.path, whole.path))
    for name in load_weights(run.path / "weights.ckpt"):
        value = weights[name]
        assert value == pytest.approx(others[name], abs=1e-5), name


def test_a_batch_is_cut_into_equal_parts_of_any_size() -> None:
    assert [next_smaller(size) for size in (16, 12, 3, 15, 2)] == [8, 6, 1, 5, 1]


def test_an_input_that_the_index_does_not_know_is_the_users_to_say(data: Path) -> None:
    settings = load_settings()
    with pytest.raises(RecipeError, match=r"--set 'input\.size="):
        plan_recipe("tinydarknet", data, None, settings, Overrides())
    overrides = Overrides(assignments=["input.size=[64, 64]", "input.colour=RGB"])
    recipe, _ = plan_recipe("tinydarknet", data, None, settings, overrides)
    assert recipe.input is not None
    assert (recipe.input.size, recipe.input.crop) == ((64, 64), 0.875)  # as of any picture


def test_what_is_set_of_the_data_counts_where_it_is_read(tmp_path: Path) -> None:
    pairs, words = tmp_path / "pairs", tmp_path / "words.txt"
    pairs.mkdir()
    for name in ("source.txt", "target.txt"):
        (pairs / name).write_text("a b\nb\n" * 5)
    words.write_text("<unk>\n<s>\n</s>\na\nb\n")
    overrides = Overrides(assignments=[f"data.vocab={words}", "data.validation=0.2"])
    recipe, splits = plan_recipe("transformer", pairs, None, load_settings(), overrides)
    assert splits is not None
    assert (len(splits.train), len(splits.validation)) == (8, 2)
    assert getattr(data_of(recipe), "vocab", None) == str(words)
    with pytest.raises(RecipeError, match=r"data\.vocb: unknown key; did you mean 'vocab'"):
        plan_recipe(
            "transformer", pairs, None, load_settings(), Overrides(assignments=["data.vocb=a"])
        )
