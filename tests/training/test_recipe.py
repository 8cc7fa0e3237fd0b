"""Recipes are read strictly, and every complaint says where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zoohub.errors import RecipeError
from zoohub.settings import load_settings
from zoohub.tasks.classification.recipe import DigitsData, FolderData
from zoohub.tasks.recipe import Input, Network
from zoohub.training import parse_recipe, read_recipe, recipe_text
from zoohub.training.options import Overrides
from zoohub.training.planning import with_overrides
from zoohub.training.starting_point import find_start

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SMALL = """\
model: lenet5
data:
  kind: digits
  train: [1, 2, 3, 4]
  validation: []
optimizer:
  lr: 1e-3
"""


def test_every_recipe_of_the_project_can_be_read() -> None:
    paths = sorted(RECIPES.glob("*.yaml"))
    assert paths
    for path in paths:
        assert read_recipe(path).model


def test_a_recipe_written_out_in_full_reads_back_the_same() -> None:
    recipe = parse_recipe(SMALL)
    text = recipe_text(recipe)
    assert "warmup" in text
    assert parse_recipe(text) == recipe


def test_a_number_with_an_exponent_is_a_number_though_yaml_reads_text() -> None:
    assert parse_recipe(SMALL).optimizer.lr == 0.001


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("lr: 1e-3", "lrr: 1e-3"), "r.yaml:7: optimizer.lrr: unknown key; did you mean 'lr'?"),
        (("lr: 1e-3", "lr: fast"), "r.yaml:7: optimizer.lr: expected a number, found 'fast'"),
        (("lr: 1e-3", "lr: true"), "r.yaml:7: optimizer.lr: expected a number, found 'true'"),
        (("lr: 1e-3", "lr: -1"), "r.yaml:7: optimizer.lr: expected a number above 0.0"),
        (("lr: 1e-3", "lr: .nan"), "r.yaml:7: optimizer.lr: expected a finite number"),
        (("lr: 1e-3", "lr: .inf"), "r.yaml:7: optimizer.lr: expected a finite number"),
        (("lr: 1e-3", "lr: 2024-13-45"), "r.yaml:7: optimizer.lr: expected a number, found '2024"),
        (("lr: 1e-3", "? [a]"), "r.yaml:7: optimizer: expected a key of text, found a list"),
        (("lr: 1e-3", "lr: \a"), r"r.yaml:7: not valid YAML: the character '\x07'; remove it"),
        (("kind: digits", "kind: [digits]"), "r.yaml:3: data.kind: expected kind: digits or"),
        (("lr: 1e-3", "lr: 1\n  lr: 2"), "r.yaml:8: optimizer.lr: given twice"),
        (("kind: digits", "kind: letters"), "r.yaml:3: data.kind: expected kind: digits or"),
        (("[1, 2, 3, 4]", "[1, x]"), "r.yaml:4: data.train[1]: expected a whole number"),
        (("[1, 2, 3, 4]", "[1, 7]"), "r.yaml:3: data: train, validation and test name different"),
        (("optimizer:\n  lr: 1e-3", "optimizer: sgd"), "r.yaml:6: optimizer: expected a mapping"),
        (("model: lenet5\n", ""), "r.yaml:1: 'model' is missing"),
        (("model: lenet5", "model: [lenet5"), "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_file_line_and_key(
    change: tuple[str, str], message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(SMALL.replace(*change), "r.yaml")
    assert message in str(caught.value)


def test_an_empty_file_and_a_missing_one_are_recipe_errors(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="empty"):
        parse_recipe("")
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(tmp_path / "none.yaml")


def test_assignments_replace_and_add_values() -> None:
    recipe = parse_recipe(
        SMALL, assignments=["optimizer.lr=0.5", "augment.flip=0.5", "data.train=[2]"]
    )
    assert (recipe.optimizer.lr, recipe.augment.flip) == (0.5, 0.5)
    assert isinstance(recipe.data, DigitsData)
    assert recipe.data.train == (2,)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("optimizer.lr", "write KEY=VALUE"),
        ("optimizer.lr=fast", "--set optimizer.lr=fast: optimizer.lr: expected a number"),
        ("optimizer.speed=1", "--set optimizer.speed=1: optimizer.speed: unknown key"),
        ("model.name=x", "'name' is no mapping"),
        ("optimizer.lr=!!float abc", "abc: optimizer.lr: expected a number, found 'abc'"),
        ("optimizer.lr=1" + 400 * "0", "optimizer.lr: expected a number, found '1000"),
        ("epochs=2024-13-45", "--set epochs=2024-13-45: epochs: expected a whole number"),
        ("network={builder: x, arguments: {a: 2024-13-45}}", "network.arguments.a: not a value of"),
        ("optimizer.lr=[", "--set optimizer.lr=[: not valid YAML"),
        ("optimizer.clip=0", "optimizer.clip: expected a number above 0.0, found '0'"),
        ("seed=4294967296", "seed: expected a number from 0 to 4294967295, found '4294967296'"),
        ("ema=1.0", "ema: expected a number at least 0.0 and below 1.0, found '1.0'"),
        ("layer_decay=0", "layer_decay: expected a number above 0.0 and at most 1.0, found '0'"),
        ("optimizer.betas=[1,1]", "optimizer.betas[0]: expected a number at least 0.0 and below"),
        (
            "class_weights=balancd",
            "class_weights: expected balanced or a mapping or a list, found 'balancd'",
        ),
        ("class_weights=[1, x]", "class_weights[1]: expected a number, found 'x'"),
        ("label_smoothing=2", "label_smoothing: expected a number from 0.0 to 0.9, found '2'"),
    ],
)
def test_a_wrong_assignment_is_named_as_it_was_given(assignment: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(SMALL, assignments=[assignment])
    assert message in str(caught.value)


def test_a_lone_text_is_one_assignment() -> None:
    assert parse_recipe(SMALL, assignments="epochs=2").epochs == 2


def test_a_value_from_an_option_is_named_without_a_line_that_nobody_sees() -> None:
    with pytest.raises(RecipeError, match=r"^epochs: expected a number at least 1, found '0'$"):
        with_overrides(parse_recipe(SMALL), Overrides(epochs=0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"std": (0.5,)}, "input.mean is missing; give mean and std, or neither"),
        ({"mean": (0.5,)}, "input.std is missing"),
        (
            {"mean": (0.1, 0.2), "std": (1.0,)},
            "input.mean: expected 1 value, one for each",
        ),
        ({"mean": (0.1,), "std": (0.0,)}, "input.std: expected numbers above 0, found [0.0]"),
        ({"fill": (1, 2)}, "input.fill: expected one value, or one for each channel of L (1)"),
    ],
)
def test_an_input_that_cannot_be_computed_is_told_before_training(
    given: dict[str, tuple[float, ...]], message: str
) -> None:
    recipe = replace(
        parse_recipe(SMALL),
        network=Network("lenet"),
        input=Input(size=(32, 32), colour="L", resize="stretch", **given),  # type: ignore[arg-type]
    )
    with pytest.raises(RecipeError) as caught:
        find_start(recipe, load_settings())
    assert message in str(caught.value)


def test_what_an_input_is_filled_with_is_a_level() -> None:
    text = SMALL + "input: {size: [32, 32], align: corner, fill: [0, 255]}\n"
    recipe = parse_recipe(text)
    assert recipe.input == Input((32, 32), align="corner", fill=(0, 255))
    assert parse_recipe(recipe_text(recipe)) == recipe
    plain = recipe_text(replace(recipe, input=Input((32, 32))))
    assert "align" not in plain
    assert "fill" not in plain
    with pytest.raises(RecipeError, match=r"input\.fill.*a number from 0 to 255"):
        parse_recipe(text.replace("255", "256"))


def test_each_kind_of_data_has_its_own_keys() -> None:
    text = "model: resnet18\ndata: {kind: folder, path: flowers, validation: 0.1}\n"
    assert parse_recipe(text).data == FolderData("folder", "flowers", 0.1)
    with pytest.raises(RecipeError, match="unknown key"):
        parse_recipe(text.replace("validation: 0.1", "train: [1]"))


def test_a_task_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match=r"r\.yaml: task: expected one of image-class.* 'sing'"):
        parse_recipe("task: sing\n" + SMALL, "r.yaml")
