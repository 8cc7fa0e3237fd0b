"""Every task keeps the contract: one test for whatever is in `zoohub/tasks/`.

Beside a task's own tests lies `tests/tasks/<folder>/example.py`, with what cannot be made up for
it here: data in one of its formats (`write`: two classes, both in the training and in the
validation part, and an unreadable `broken.png`), an input contract (`CONTRACT`), what a network
gives that is always right (`perfect`), and the recipe's lines of a network small enough to train
(`NETWORK`). Of data that is no pictures, `BROKEN` is what the unreadable one is called.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.cli import predict
from zoohub.cli.main import main
from zoohub.cli.options import data_help
from zoohub.errors import DataError, RecipeError, UsageError
from zoohub.manifest.entry import InputContract
from zoohub.manifest.tasks import TASKS
from zoohub.tasks.contract import AnyTask, Finished, Panels, Row, Task
from zoohub.tasks.finding import (
    all_tasks,
    find_reader,
    find_task,
    learning_tasks,
    reader_of,
    task_of_recipe,
)
from zoohub.tasks.options import choose, command_options
from zoohub.tasks.recipe import Recipe, data_of, recipe_text
from zoohub.tasks.results import Prediction
from zoohub.tasks.samples import Samples, Splits
from zoohub.training import finetune, parse_recipe

HERE = Path(__file__).parent
# A later call: its code, whether it imported MindSpore or onnx, and what it asked the net for.
SECOND_CALL = """
import sys
asked = []
sys.addaudithook(lambda event, _: asked.append(event)
                 if event in ("socket.connect", "socket.getaddrinfo") else None)
from zoohub.cli.main import main
code = main(sys.argv[1:])
print(code, [name for name in ("mindspore", "onnx") if name in sys.modules], asked, file=sys.stderr)
"""
EVERY = pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
LEARNING = pytest.mark.parametrize("task", learning_tasks(), ids=lambda task: task.name)
PREDICTING = pytest.mark.parametrize(
    "task", [task for task in all_tasks() if not task.readers], ids=lambda task: task.name
)
CLASSED = pytest.mark.parametrize(
    "task", [task for task in all_tasks() if task.has_classes], ids=lambda task: task.name
)

# What reads text goes the road in tests of its own: its inputs are no files, and it has no compiled
# form.
PICTURED = pytest.mark.parametrize(
    "task", [task for task in learning_tasks() if task.kind == "picture"], ids=lambda t: t.name
)


def example_of(task: AnyTask) -> ModuleType:
    folder = type(task).__module__.split(".")[-2]
    file = HERE / folder / "example.py"
    spec = importlib.util.spec_from_file_location(f"example_{folder}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclasses.dataclass(frozen=True)
class Case:
    """A task with an example's data read, and its validation part prepared."""

    task: AnyTask
    example: ModuleType
    source: Path
    data: Any
    splits: Splits[Any]
    rows: list[Row]

    @property
    def samples(self) -> Samples[Any]:
        return self.splits.validation

    @property
    def perfect(self) -> Any:
        return self.example.perfect(self.rows, self.samples.targets, len(self.splits.classes))


@pytest.fixture
def case(task: AnyTask, tmp_path: Path) -> Case:
    example = example_of(task)
    source = example.write(tmp_path / "data")
    reader = find_reader(task, source, "a model")
    data = reader.describe(source)
    splits = reader.read(data)
    prepare = task.prepare(example.CONTRACT)
    rows = [row for value in splits.validation.inputs for row in prepare(value)]
    return Case(task, example, source, data, splits, rows)


@EVERY
def test_it_says_what_it_is(task: AnyTask) -> None:
    assert task.serves
    assert set(task.serves) <= TASKS
    assert all(find_task(name) is task for name in task.serves)
    assert task.title
    assert (type(task).draw is not Task.draw) is (task.drawings is not None)


@PREDICTING
def test_one_that_only_predicts_says_so_where_it_is_to_learn(task: AnyTask, tmp_path: Path) -> None:
    said = f"zoohub predicts {task.name}, and neither measures nor trains it"
    for ask in (
        lambda: find_reader(task, tmp_path, "m"),
        lambda: reader_of(task, None, "m"),
        lambda: task.metric(()),
        lambda: task.default_recipe("m", None, None, InputContract(), 1),
    ):
        with pytest.raises(DataError, match=said):
            ask()
    with pytest.raises(RecipeError, match=f"expected one of .*, found '{task.name}'"):
        parse_recipe(f"task: {task.name}\nmodel: m\n")


@LEARNING
def test_it_says_what_it_measures_and_learns(task: AnyTask) -> None:
    keys = [figure.key for figure in task.figures]
    assert len(set(keys)) == len(keys)
    assert all(figure.title for figure in task.figures)
    for named in (task.headline, task.best, task.epoch_figures, task.published):
        assert named
        assert set(named) <= set(keys)
    assert set(task.best) <= set(task.epoch_figures)
    assert task.headline[0] in task.epoch_figures
    assert set(task.instead) <= set(task.epoch_figures)
    for key, other in task.instead.items():
        assert task.figure(key).higher == task.figure(other).higher
    assert all((task.learns_from, task.expected, task.split_title))


def test_one_task_alone_has_recipes_that_do_not_name_it() -> None:
    assert [task.unnamed for task in all_tasks()].count(True) == 1
    served = [name for task in all_tasks() for name in task.serves]
    assert len(set(served)) == len(served)


@EVERY
def test_its_options_are_those_of_the_command_line(task: AnyTask) -> None:
    parser = argparse.ArgumentParser()
    predict.add_arguments(parser)
    predict.add_task_arguments(parser)
    text = " ".join(parser.format_help().split())
    own = command_options([task.options])
    for option in own:
        assert f"--{option.name.replace('_', '-')} {option.metavar}" in text
        assert " ".join(option.help.split()) in text  # or one that says more
    assert dataclasses.is_dataclass(task.options)
    assert choose(task.options, {option.name: None for option in own}) == task.options()
    with pytest.raises(UsageError, match="there is no option 'colour_of_the_sky'"):
        choose(task.options, {"colour_of_the_sky": 1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(task.options(), dataclasses.fields(task.options)[0].name, 1)
    assert all(reader.says in data_help() for reader in task.readers)


@CLASSED
def test_its_readers_claim_their_own_and_split_it(task: AnyTask, case: Case) -> None:
    splits = case.splits
    assert len(splits.classes) == 2
    assert len(splits.train) > len(splits.validation) > 0
    assert not set(splits.train.names) & set(splits.validation.names)
    assert len(splits.skipped) == 1
    assert getattr(case.example, "BROKEN", "broken.png") in next(iter(splits.skipped))
    again = find_reader(task, case.source, "a model").read(case.data)
    assert list(again.identity()) == list(splits.identity())
    other = splits.train.take([0])
    assert list(dataclasses.replace(splits, train=other).identity()) != list(splits.identity())
    whole = find_reader(task, case.source, "a model").read(case.data, measuring=True)
    assert len(whole.measured()) == len(splits.train) + len(splits.validation)
    for stranger in learning_tasks():
        if not any(reader.claims(case.source) for reader in stranger.readers):
            with pytest.raises(RecipeError, match=r"^x \(.*\) learns from "):
                find_reader(stranger, case.source, "x")
    with pytest.raises(DataError, match=r"expected .*, found nothing"):
        find_reader(task, case.source.parent / "not there", "x")


@LEARNING
def test_its_recipe_is_written_out_and_read_back(task: AnyTask, case: Case) -> None:
    recipe = task.default_recipe("m", None, case.data, case.example.CONTRACT, 100)
    assert isinstance(recipe, Recipe)
    assert data_of(recipe) == case.data
    assert parse_recipe(recipe_text(recipe)) == recipe
    assert task_of_recipe(recipe) is task
    assert ("task:" in recipe_text(recipe)) is not task.unnamed
    started = task.default_recipe("m", "default", case.data, case.example.CONTRACT, 100)
    assert started.optimizer.lr < recipe.optimizer.lr
    assert task.evaluates(recipe, recipe.epochs)
    with pytest.raises(RecipeError, match="unknown key"):
        parse_recipe(recipe_text(recipe), assignments=["no_such_key=1"])


@CLASSED
def test_what_it_finds_reads_as_json_lines_and_a_drawing(task: AnyTask, case: Case) -> None:
    batch = task.collate(case.rows)
    assert {len(array) for array in batch.values()} == {len(case.rows)}
    found = task.interpret(case.perfect, case.rows, case.splits.classes, task.options())
    assert len(found) == len(case.rows)
    for results, value in zip(found, case.samples.inputs, strict=True):
        assert results
        assert task.merge([results]) == results
        assert json.loads(json.dumps([result.to_json() for result in results]))
        assert len(task.lines(results)) >= len(results)
        assert all(isinstance(line, str) and line for line in task.lines(results))
        if task.drawings is not None:
            from PIL import Image

            with Image.open(str(value)) as picture:
                assert task.draw(value, results).size == picture.size
        shown = Prediction("a", results, illustrate=partial(task.illustrate, value, results))
        assert ("<img" in shown._repr_html_()) is (task.kind == "picture")
    assert task.lines(())
    unnamed = task.interpret(case.perfect, case.rows, None, task.options())
    assert "class " in json.dumps([r.to_json() for r in unnamed[0]])
    with pytest.raises(DataError, match="2 classes but 3 class names"):
        task.interpret(case.perfect, case.rows, ("a", "b", "c"), task.options())
    with pytest.raises(DataError, match="expected"):
        task.interpret(object(), case.rows, None, task.options())  # type: ignore[arg-type]
    assert task.class_names(case.perfect, case.splits.classes)


@CLASSED
def test_its_metric_streams_and_knows_what_is_perfect(task: AnyTask, case: Case) -> None:
    pytest.importorskip("pycocotools")
    classes, samples = case.splits.classes, case.samples
    whole, parts = task.metric(classes), task.metric(classes)
    whole.add(case.perfect, case.rows, list(samples.targets))
    for place, row in enumerate(case.rows):
        one = samples.take([place])
        parts.add(case.example.perfect([row], one.targets, 2), [row], list(one.targets))
    figures = whole.figures()
    assert figures == parts.figures()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["count"] == len(samples)
    assert set(figures["per_class"]) == set(classes)
    assert set(task.forgotten) <= set(figures)
    for key in (*task.best, *task.headline, *task.epoch_figures):
        best = 1.0 if task.figure(key).higher else 0.0
        assert figures[key] == pytest.approx(best, abs=0.02), key
    wrong = task.metric(classes)
    swapped = task.renumbered(samples, np.array([1, 0]))
    wrong.add(case.example.perfect(case.rows, swapped.targets, 2), case.rows, samples.targets)
    assert wrong.figures()[task.best[0]] < 0.5
    with pytest.raises(DataError):
        task.metric(classes).figures()


@CLASSED
def test_classes_are_counted_and_renumbered(task: AnyTask, case: Case) -> None:
    assert task.measurable(case.samples)
    assert not task.measurable(case.samples.take([]))
    assert set(task.present(case.samples)) == {0, 1}
    moved = task.renumbered(case.samples, np.array([5, 3]))
    assert set(task.present(moved)) == {3, 5}
    assert list(moved.names) == list(case.samples.names)
    for target in case.samples.targets:
        assert str(task.split_value(target, case.splits.classes))


@LEARNING
def test_its_training_rows_follow_from_their_random_numbers(task: AnyTask, case: Case) -> None:
    recipe = task.default_recipe("m", None, case.data, case.example.CONTRACT, 100)
    make = task.training_rows(case.splits.train, case.example.CONTRACT, recipe)
    noted: list[str] = []

    def row(place: int, seed: int) -> Any:
        return make(place, np.random.default_rng(seed), lambda name, why: noted.append(name), 0)

    one, same, other = row(0, 1), row(0, 1), row(0, 2)
    assert not noted
    for name, array in (*one.inputs.items(), *one.targets.items()):
        again = {**same.inputs, **same.targets}[name]
        assert array.dtype == again.dtype
        np.testing.assert_array_equal(array, again)
    changed = any((array != other.inputs[name]).any() for name, array in one.inputs.items())
    assert changed is (task.kind == "picture")  # words are not changed at random
    stacked = type(one)(
        {name: np.stack([array] * 4) for name, array in one.inputs.items()},
        {name: np.stack([array] * 4) for name, array in one.targets.items()},
    )
    for parts in (1, 2, 4):
        batches = task.step_batches(stacked, recipe, 2, np.random.default_rng(0), parts)
        assert len(batches) == parts
        for inputs, targets in batches:
            assert all(len(array) == 4 // parts for array in inputs)
            assert targets


@LEARNING
def test_its_panels_are_parts_of_a_page(task: AnyTask, case: Case) -> None:
    pytest.importorskip("pycocotools")
    pytest.importorskip("sacrebleu")
    recipe = task.default_recipe("m", None, case.data, case.example.CONTRACT, 100)
    metric = task.metric(case.splits.classes)
    metric.add(case.perfect, case.rows, list(case.samples.targets))
    each = task.interpret(case.perfect, case.rows, case.splits.classes, task.options())
    found = [task.merge([results]) for results in each]

    def predict(count: int) -> list[tuple[int, tuple[Any, ...]]]:
        return list(enumerate(found))[:count]

    done = Finished(recipe, case.splits.classes, "validation", case.samples, metric,
                    metric.figures(), predict)  # fmt: skip
    panels = task.panels(done)
    assert isinstance(panels, Panels)
    assert panels.figures
    assert all(section.startswith("<") for section in panels.sections)
    assert all("." in name and text for name, text in panels.files.items())
    empty = dataclasses.replace(done, metric=None, figures=None, predict=lambda count: [])
    assert not task.panels(empty).figures
    for title, lines in task.curve.items():
        assert title
        assert lines


@EVERY
def test_what_its_files_give_can_be_compared(task: AnyTask) -> None:
    output = np.arange(2 * 3 * 7, dtype=np.float32).reshape(2, 3, 7)
    parts = task.comparable("predictions", output)
    assert np.concatenate([part.ravel() for part in parts]).size == output.size
    in_file = task.in_file(None)
    if in_file is not None:
        assert in_file.outputs
        assert 0 <= in_file.confidence < 1


def assert_near(one: Any, other: Any) -> None:
    """Two results of JSON are the same but for rounding."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_near(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_near(left, right)
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=0.02, rel=1e-3)
    else:
        assert one == other


@PICTURED
@pytest.mark.slow
def test_it_goes_the_whole_road(
    task: AnyTask, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("pycocotools")
    pytest.importorskip("onnxruntime")
    recipe = task.default_recipe("m", None, case.data, case.example.CONTRACT, 16)
    text = recipe_text(dataclasses.replace(recipe, epochs=1, network=None, input=None, ema=None))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + case.example.NETWORK)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    line = json.loads((run.path / "metrics.jsonl").read_text())
    drawn = {key for lines in task.curve.values() for key in lines.values()}
    assert drawn - {f"validation_{key}" for key in task.instead.values()} <= set(line)
    assert all(f"validation_{key}" in line for key in task.epoch_figures)
    assert set(task.headline) <= set(run.metrics)
    assert (run.path / "report.html").read_text().startswith("<!doctype html>")
    figures = zoohub.evaluate(run.path, case.source)
    assert {figure.key for figure in task.figures} & set(figures)
    assert len(figures["skipped"]) == 1

    pictures = [str(value) for value in case.samples.inputs[:3]]
    said = {}
    for engine in ("mindspore", "onnxruntime"):
        command = ["predict", str(run.path), *pictures, "--json", "--engine", engine]
        assert main(command) == 0
        said[engine] = json.loads(capsys.readouterr().out)
        assert [row["input"] for row in said[engine]] == pictures
        assert {row.pop("engine") for row in said[engine]} == {engine}
    rows = said["onnxruntime"]
    assert_near(rows, said["mindspore"])
    program = [sys.executable, "-c", SECOND_CALL, "predict", str(run.path), *pictures, "--json"]
    done = subprocess.run([*program, "--offline"], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 [] []"
    again = json.loads(done.stdout)
    assert {row.pop("engine") for row in again} == {"onnxruntime"}
    assert_near(again, rows)
    slow = zoohub.evaluate(run.path, case.source, engine="mindspore")
    assert (figures.pop("engine"), slow.pop("engine")) == ("onnxruntime", "mindspore")
    for key in task.headline:
        assert slow[key] == pytest.approx(figures[key], abs=1e-3)
    left_out = 3 if figures["skipped"] else 0
    assert main(["eval", str(run.path), "--data", str(case.source)]) == left_out
    assert task.figure(task.headline[0]).title in capsys.readouterr().out

    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True)
    (one,) = zoohub.predict(file, pictures[0])
    assert one.engine == "onnxruntime"
    assert [set(r.to_json()) for r in one.predictions] == [set(r) for r in rows[0]["predictions"]]
    exported = zoohub.evaluate(file, case.source)
    for key in task.headline:
        assert exported[key] == pytest.approx(figures[key], abs=1e-3)
