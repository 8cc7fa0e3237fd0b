"""Parallel text on its way: read, measured, trained on, and predicted from the run."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError, RecipeError
from zoohub.tasks.finding import find_reader, find_task
from zoohub.tasks.recipe import recipe_text
from zoohub.tasks.translation.parallel import Reference
from zoohub.training import Run, finetune

_SPEC = importlib.util.spec_from_file_location(
    "example_translation", Path(__file__).parent / "example.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
example: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(example)
TASK = find_task("machine-translation")


def read(source: Path, **settings: Any) -> Any:
    reader = find_reader(TASK, source, "a model")
    return reader.read(replace(reader.describe(source), **settings))


def test_two_files_are_read_and_split(tmp_path: Path) -> None:
    source = example.write(tmp_path / "data")
    splits = read(source)
    assert splits.classes == ()
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (36, 4, 0)
    assert not set(splits.train.names) & set(splits.validation.names)
    (skipped,) = splits.skipped
    assert skipped == f"{source / 'source.txt'}:8"
    assert list(read(source).identity()) == list(splits.identity())
    assert list(read(source, seed=1).identity()) != list(splits.identity())
    sentence, target = splits.train.inputs[0], splits.train.targets[0]
    assert sentence.ids == target.ids[::-1]
    assert target.text == " ".join(example.WORDS[id] for id in target.ids)
    (source / "test").mkdir()
    (source / "test" / "source.txt").write_text("a b\n")
    (source / "test" / "target.txt").write_text("b a\n")
    assert len(read(source).test) == 1
    (source / "target.txt").write_text("a\n")
    with pytest.raises(DataError, match=r"source\.txt has 41 lines and target\.txt 1"):
        read(source)


def test_a_line_ends_where_files_end_it(tmp_path: Path) -> None:
    """Corpora have U+2028 and U+0085 in their sentences."""
    source = example.write(tmp_path / "data")
    (source / "source.txt").write_bytes("a\u2028b\r\nc\x85d\r\na b\r\n".encode())
    (source / "target.txt").write_bytes(b"b a\nd c\nb a")
    splits = read(source, validation=0.0)
    assert [sentence.ids for sentence in splits.train.inputs] == [(3, 4), (5, 6), (3, 4)]
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"source": [5], "target": "a\u2028b"}\n', encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("\n".join(example.WORDS))
    assert read(file).train.targets == [Reference((3, 4), "a b")]


def test_a_jsonl_has_ids_or_text(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [{"source": [5, 6], "target": [6, 5]}, {"source": "a b", "target": "b a"},
            {"source": [5], "target": []}, {"target": [5]}]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = read(file, validation=0.0)
    assert list(splits.train.targets) == [Reference((6, 5))]
    assert [reason.partition(": ")[2][:40] for reason in splits.skipped.values()] == [
        "source is text, which takes the network'", "target: expected a text or a list of tok",
        "source: expected a text or a list of tok",
    ]  # fmt: skip
    (tmp_path / "vocab.txt").write_text("\n".join(example.WORDS))
    splits = read(file, validation=0.0)
    assert splits.train.targets[1] == Reference((4, 3), "b a")
    file.write_text('{"source": "a"}\n')
    with pytest.raises(RecipeError, match="learns from parallel text"):
        read(file)


def test_bleu_knows_what_is_perfect(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu")
    samples = read(example.write(tmp_path / "data")).train
    prepare = TASK.prepare(example.CONTRACT)
    rows = [row for value in samples.inputs for row in prepare(value)]
    whole, parts, wrong = (TASK.metric(()) for _ in range(3))
    whole.add(example.perfect(rows, samples.targets, 0), rows, samples.targets)
    for row, target in zip(rows, samples.targets, strict=True):
        parts.add(example.perfect([row], [target], 0), [row], [target])
    assert whole.figures() == parts.figures() == {"count": 36, "bleu": 1.0, "per_class": {}}
    wrong.add(example.perfect(rows, samples.targets[::-1], 0), rows, samples.targets)
    assert wrong.figures()["bleu"] < 0.2
    bare = [Reference(target.ids) for target in samples.targets]
    ids = TASK.metric(())
    ids.add(example.perfect(rows, bare, 0), rows, bare)
    assert ids.figures()["bleu"] == 1.0
    with pytest.raises(DataError, match="no translation to measure"):
        TASK.metric(()).figures()


def test_the_target_is_given_a_token_late(tmp_path: Path) -> None:
    splits = read(example.write(tmp_path / "data"))
    recipe = TASK.default_recipe("m", None, None, example.CONTRACT, 36)
    make = TASK.training_rows(splits.train, example.CONTRACT, recipe)
    row = make(3, np.random.default_rng(0), lambda name, why: None, 0)
    wanted = [*splits.train.targets[3].ids, 2]
    count = len(wanted)
    assert row.inputs["target_ids"].tolist()[:count] == [1, *wanted[:-1]]
    assert row.targets["labels"].tolist()[:count] == wanted
    assert row.targets["mask"].tolist() == [1] * count + [0] * (len(row.targets["mask"]) - count)
    assert {len(array) for array in row.inputs.values()} == {16}
    short = replace(example.CONTRACT, text=replace(example.CONTRACT.text, max_length=8))
    noted: list[str] = []
    made = TASK.training_rows(splits.train, short, recipe)
    for place in range(36):
        row = made(place, np.random.default_rng(0), lambda name, why: noted.append(why), 0)
        assert len(row.inputs["source_ids"]) == 8
    assert "9 tokens with its end, the network takes at most 8" in noted[0]


def test_the_loss_is_the_smoothed_cross_entropy() -> None:
    from mindspore import Tensor

    from zoohub.tasks.translation.loss import SmoothedCrossEntropy

    random = np.random.default_rng(0)
    logits = random.standard_normal((6, 5)).astype(np.float32)
    logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    labels, mask = random.integers(0, 5, (2, 3)), np.array([[1, 1, 0], [1, 0, 0]])
    soft = np.full((6, 5), 0.1 / 4)
    soft[np.arange(6), labels.ravel()] = 0.9
    wanted = -(soft * logp).sum(1)[mask.ravel() == 1].mean()
    found = SmoothedCrossEntropy(0.1)(
        Tensor(logp), Tensor(labels.astype(np.int32)), Tensor(mask.astype(np.int32))
    )
    assert float(found.asnumpy()) == pytest.approx(wanted, rel=1e-5)


def trained(source: Path, output: Path, mode: str) -> Run:
    """A run of two epochs on the example, its folder looked at."""
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("m", None, data, example.CONTRACT, 36)
    text = recipe_text(replace(recipe, epochs=2, batch_size=12, mode=mode, evaluate_every=2))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    file = output.with_suffix(".yaml")
    file.write_text("\n".join(kept) + example.NETWORK)
    run = finetune(file, output=output)
    first, last = map(json.loads, (run.path / "metrics.jsonl").read_text().splitlines())
    assert last["loss"] < first["loss"]
    assert 0 <= last["validation_bleu"] <= 1
    assert run.metrics["bleu"] == last["validation_bleu"]
    page = (run.path / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "<th>sentences</th>" in page
    assert "pictures" not in page
    assert "<th>classes</th>" not in page
    return run


@pytest.mark.slow
def test_it_is_trained_without_a_graph_too(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu")
    trained(example.write(tmp_path / "data"), tmp_path / "run", "pynative")


@pytest.mark.slow
def test_it_goes_the_whole_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("sacrebleu")
    pytest.importorskip("onnxruntime")
    source = example.write(tmp_path / "data")
    run = trained(source, tmp_path / "run", "graph")
    figures = zoohub.evaluate(run.path, source, mode="graph")
    assert figures["count"] == 40
    assert len(figures["skipped"]) == 1

    sentences = [[3, 4, 5], [6, 7, 8, 9]]
    found = zoohub.predict(run.path, sentences, mode="graph")
    words = ("--text", "a b c", "--vocab", str(source / "vocab.txt"), "--json")
    assert main(["predict", str(run.path), *words, "--mode", "graph"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["predictions"][0]["tokens"] == list(found[0].predictions[0].tokens)
    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True)
    again = zoohub.predict(file, sentences)
    assert [one.predictions[0].tokens for one in again] == [
        one.predictions[0].tokens for one in found
    ]
    exported = zoohub.evaluate(file, source)
    assert exported["bleu"] == pytest.approx(figures["bleu"], abs=1e-6)


@pytest.mark.slow
def test_it_learns_to_turn_sentences_round(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu")
    source = example.write(tmp_path / "data")
    random = np.random.default_rng(1)
    rows = [random.choice(list("abcde"), 4).tolist() for _ in range(400)]
    (source / "source.txt").write_text("".join(" ".join(row) + "\n" for row in rows))
    (source / "target.txt").write_text("".join(" ".join(row[::-1]) + "\n" for row in rows))
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("m", None, data, example.CONTRACT, 36)
    text = recipe_text(replace(recipe, epochs=25, batch_size=40, evaluate_every=25))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    network = example.NETWORK.replace("hidden_size: 16", "hidden_size: 32")
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + network)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run", lr=5e-3)
    assert run.metrics["bleu"] > 0.5
