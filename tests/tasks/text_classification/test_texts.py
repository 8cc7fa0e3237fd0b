"""Labelled texts on their way: cut, read, measured, trained on, and predicted from the run."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import zoohub
from zoohub.cli.main import main
from zoohub.core import notes
from zoohub.errors import DataError, RecipeError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec, TextContract
from zoohub.models.texts import for_arguments
from zoohub.outputs import ClassScores
from zoohub.running import Array
from zoohub.tasks.finding import find_reader, find_task
from zoohub.tasks.recipe import recipe_text
from zoohub.tasks.text_classification.options import TextClassificationOptions
from zoohub.training import finetune, parse_recipe

_SPEC = importlib.util.spec_from_file_location(
    "example_text_classification", Path(__file__).parent / "example.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
example: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(example)
TASK = find_task("text-classification")


class Echo:
    """A runner whose scores are a text's length and the sum of its ids."""

    def __init__(self, *inputs: str) -> None:
        self.inputs = inputs
        self.seen: list[Mapping[str, Array]] = []

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        self.seen.append(inputs)
        ids = inputs[self.inputs[0]]
        length = np.full(len(ids), ids.shape[1])
        return {"classes": np.stack([length, ids.sum(1)], 1).astype(np.float32)}


def rows_of(contract: TextContract, *texts: tuple[int, ...]) -> list[Any]:
    prepare = TASK.prepare(InputContract(text=contract))
    return [row for ids in texts for row in prepare(Sentence("a", ids=ids))]


def test_texts_are_filled_up_and_the_network_is_given_what_it_takes() -> None:
    contract = TextContract(max_length=40, pad_id=1)
    batch = TASK.collate(rows_of(contract, (5, 6, 7), tuple(range(2, 22))))
    assert {name: array.shape for name, array in batch.items()} == {
        "input_ids": (2, 32), "token_type_ids": (2, 32), "attention_mask": (2, 32),
    }  # fmt: skip
    assert batch["input_ids"][0].tolist() == [5, 6, 7] + [1] * 29
    assert batch["attention_mask"].sum(1).tolist() == [3, 20]
    assert not batch["token_type_ids"].any()
    runner = Echo("input_ids", "attention_mask")
    found = TASK.infer({"": runner}, batch, InputContract(text=contract))
    assert set(runner.seen[0]) == {"input_ids", "attention_mask"}
    assert found["classes"].shape == (2, 2)
    long = TASK.collate(rows_of(contract, tuple(range(38))))
    assert long["input_ids"].shape == (1, 40)
    with pytest.raises(DataError, match="the network takes entity_ids, which no text has"):
        TASK.infer({"": Echo("entity_ids")}, batch, InputContract(text=contract))


def test_without_a_mask_a_text_does_not_depend_on_its_neighbours() -> None:
    contract = TextContract()
    texts = ((5, 6, 7), tuple(range(2, 22)), (9,) * 20)
    batch = TASK.collate(rows_of(contract, *texts))
    found = TASK.infer({"": Echo("ids")}, batch, InputContract(text=contract))["classes"]
    assert found.tolist() == [[8, 18], [20, 230], [20, 180]]
    known = replace(contract, max_length=24)
    found = TASK.infer({"": Echo("ids")}, batch, InputContract(text=known))["classes"]
    assert found[:, 0].tolist() == [24, 24, 24]


def test_a_longer_text_is_cut_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    (row,) = rows_of(TextContract(max_length=4), (2, 5, 6, 7, 8, 3))
    assert row.inputs["input_ids"].tolist() == [2, 5, 6, 3]
    assert said == ["a: 6 tokens, the network takes 4: the first 3 and the last are kept"]
    with pytest.raises(DataError, match="token 15 is none of the network's 15"):
        rows_of(TextContract(vocab_size=15), (2, 15))


def test_text_is_cut_by_the_vocabulary_or_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is text, .*give it as --vocab FILE .*ids always work"):
        TASK.prepare(example.CONTRACT)(Sentence("a", text="fine"))
    pytest.importorskip("tokenizers")
    example.write(tmp_path / "data")
    vocab = str(tmp_path / "data" / "vocab.txt")
    prepare = TASK.prepare(example.CONTRACT, TextClassificationOptions(vocab=vocab))
    (row,) = prepare(Sentence("a", text="The film was finely odd"))
    assert row.inputs["input_ids"].tolist() == [2, 11, 12, 13, 5, 14, 1, 3]
    small = replace(example.CONTRACT, text=replace(example.CONTRACT.text, vocab_size=14))
    with pytest.raises(DataError, match="has ids up to 14, the network's table only 14 words"):
        TASK.prepare(small, TextClassificationOptions(vocab=vocab))


def test_a_vocabulary_far_smaller_than_the_network_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tokenizers")
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    example.write(tmp_path / "data")
    vocab = tmp_path / "data" / "vocab.txt"
    for size in (1038, 1039, 1039):
        large = replace(example.CONTRACT, text=replace(example.CONTRACT.text, vocab_size=size))
        TASK.prepare(large, TextClassificationOptions(vocab=str(vocab)))
    (told,) = said
    assert told.startswith(f"{vocab} has 15 tokens, the network's table 1039: ")


@pytest.mark.parametrize(
    ("builder", "arguments", "problem"),
    [
        ("bert", {"head": "pretraining"}, "ends in the head 'pretraining'"),
        ("ernie", {}, "ends in the head 'encoder'"),
        ("luke", {}, "take word_ids"),
        ("dscnn", {}, "take cepstrum"),
    ],
)
def test_a_head_that_tells_no_classes_is_refused(
    builder: str, arguments: dict[str, str], problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        TASK.check_network(NetworkSpec(builder, arguments))


def test_a_classifier_is_taken_and_learns_where_its_length_is_known() -> None:
    contract = InputContract(text=TextContract())
    for builder in ("bert", "ernie", "roberta", "albert", "tinybert", "senta"):
        TASK.check_network(NetworkSpec(builder, {"head": "classification"}), contract)
    for builder in ("textcnn", "lstm", "textrcnn"):
        TASK.check_network(NetworkSpec(builder, {}))
        with pytest.raises(RecipeError, match=r"say which, e\.g\. --set text\.max_length=64"):
            TASK.check_network(NetworkSpec(builder, {}), contract)


def test_a_pretrained_encoder_is_trained_under_a_classifier() -> None:
    for builder in ("bert", "ernie", "albert", "nezha"):
        spec = NetworkSpec(builder, {"head": "pretraining", "hidden_size": 64})
        found = TASK.network_for(spec)
        assert found.arguments == {"head": "classification", "hidden_size": 64}
        assert found.head == "dense_1 cls1 cls2"
        assert TASK.network_for(found) == found
    for kept in (NetworkSpec("textcnn", {}), NetworkSpec("roberta", {"head": "fill-mask"})):
        assert TASK.network_for(kept) == kept


def test_robertas_positions_begin_behind_padding() -> None:
    contract = for_arguments(TextContract(first_position=2), {"max_position_embeddings": 514})
    assert contract.max_length == 512


def read(source: Path, **settings: Any) -> Any:
    reader = find_reader(TASK, source, "a model")
    return reader.read(replace(reader.describe(source), **settings))


def test_a_table_of_each_kind_is_read(tmp_path: Path) -> None:
    rows = [([2, 5, 3], "good", "train"), ([2, 8, 3], "bad", "train"), ([2, 6, 3], "good", "val"),
            ([2, 9, 3], "odd", "test"), ([], "bad", "train"),
            ("fine", "good", "train")]  # fmt: skip
    file = tmp_path / "a.jsonl"
    named = [dict(zip(("text", "label", "split"), row, strict=True)) for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in named))
    splits = read(file)
    assert splits.classes == ("bad", "good")
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [2, 1, 0]
    assert splits.warnings == ("labels without training texts: odd",)
    assert [reason.partition(":6 ")[2][:8] for reason in splits.skipped.values()][1] == "is text,"
    assert splits.train.targets == [1, 0]
    pytest.importorskip("tokenizers")
    (tmp_path / "vocab.txt").write_text("\n".join(example.WORDS))
    tabs = tmp_path / "a.tsv"
    tabs.write_text('Label\tText\ngood\t"fine\nbad\tthe film was dull\n')
    splits = read(tabs, validation=0.0)
    assert [sentence.text for sentence in splits.train.inputs] == ['"fine', "the film was dull"]
    tabs.write_text("a\tb\n1\t2\n")
    with pytest.raises(DataError, match="expected the columns text and label"):
        read(tabs)


def test_one_class_is_too_few_texts_to_train_on(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"text": [5, 6], "label": "good"}\n' * 3)
    reader = find_reader(TASK, file, "m")
    with pytest.raises(
        DataError, match=r"two classes with readable texts are needed .*only 'good'"
    ):
        reader.read(reader.describe(file))


def test_a_network_that_is_no_encoder_learns_faster(tmp_path: Path) -> None:
    file = example.write(tmp_path / "data")
    data = find_reader(TASK, file, "m").describe(file)
    rates = {}
    for builder in ("bert", "textcnn", "textrcnn"):
        for checkpoint in (None, "default"):
            recipe = TASK.default_recipe("m", checkpoint, data, example.CONTRACT, 40)
            suited = TASK.suited(recipe, NetworkSpec(builder))
            rates[builder, checkpoint] = suited.optimizer.lr
            assert replace(suited, optimizer=recipe.optimizer) == recipe
    assert (rates["bert", None], rates["bert", "default"]) == (3e-4, 3e-5)
    for builder in ("textcnn", "textrcnn"):
        assert (rates[builder, None], rates[builder, "default"]) == (3e-3, 1e-3)


def test_a_seed_below_0_and_a_length_of_0_are_refused(tmp_path: Path) -> None:
    file = example.write(tmp_path / "data")
    data = find_reader(TASK, file, "m").describe(file)
    recipe = TASK.default_recipe("m", None, data, example.CONTRACT, 40)
    with pytest.raises(RecipeError, match=r"data\.seed: expected a number at least 0, found '-5'"):
        parse_recipe(recipe_text(recipe), assignments=["data.seed=-5"])
    with pytest.raises(RecipeError, match=r"text\.max_length: expected a number at least 1"):
        parse_recipe(recipe_text(recipe), assignments=["text.max_length=0"])


def test_an_id_that_no_network_could_have_is_one_line() -> None:
    with pytest.raises(DataError, match="a: token 4294967295 is none of those a network could"):
        rows_of(TextContract(), (4294967295,))


def test_f1_is_the_mean_over_the_classes_that_occur() -> None:
    metric = TASK.metric(("a", "b", "c"))
    scores = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    metric.add(ClassScores(scores), [], [0, 1, 1, 1])
    figures = metric.figures()
    assert figures["acc"] == 0.75
    assert figures["per_class"] == {"a": pytest.approx(2 / 3), "b": pytest.approx(0.8), "c": None}
    assert figures["f1"] == pytest.approx((2 / 3 + 0.8) / 2)


@pytest.mark.slow
def test_a_pretrained_file_gives_its_encoder(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    import mindspore as ms

    from zoohub.networks.loading import build

    source = example.write(tmp_path / "data")
    network = example.NETWORK.replace("head: classification", "head: pretraining")
    arguments = yaml.safe_load(network)["network"]["arguments"]
    net = build(NetworkSpec("bert", arguments))
    file = tmp_path / "pretrained.ckpt"
    ms.save_checkpoint(net, str(file))
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("bert_base", str(file), data, example.CONTRACT, 32)
    still = replace(recipe.optimizer, lr=1e-12, weight_decay=0.0)
    text = recipe_text(replace(recipe, epochs=1, batch_size=32, optimizer=still))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + network)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    name = "bert.bert_embedding_lookup.embedding_table"
    found = {p.name: p.asnumpy() for p in run.net.get_parameters()}
    np.testing.assert_allclose(found[name], net.parameters_dict()[name].asnumpy(), atol=1e-6)
    assert found["dense_1.weight"].shape == (2, 16)
    assert not [name for name in found if name.startswith("cls")]
    assert zoohub.evaluate(run.path, source)["count"] == 40


@pytest.mark.slow
def test_it_goes_the_whole_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    source = example.write(tmp_path / "data")
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("m", None, data, example.CONTRACT, 32)
    text = recipe_text(
        replace(recipe, epochs=12, batch_size=8, optimizer=replace(recipe.optimizer, lr=1e-2))
    )
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + example.NETWORK)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    assert run.metrics["acc"] == 1.0
    assert (run.path / "report.html").read_text().startswith("<!doctype html>")
    figures = zoohub.evaluate(run.path, source)
    assert (figures["count"], figures["f1"]) == (40, 1.0)
    assert len(figures["skipped"]) == 1

    assert main(["eval", str(run.path), "--data", str(source)]) == 3  # one is left out
    assert [line.split() for line in capsys.readouterr().out.splitlines()][1] == ["texts", "40"]

    ids = [[2, 11, 12, 13, 5, 3], [2, 11, 12, 13, 10, 11, 12, 3]]
    found = zoohub.predict(run.path, ids)
    assert [one.predictions[0].label for one in found] == ["good", "bad"]
    # Compiled for one length and run on others, as MindSpore would.
    assert {one.engine for one in found} == {"onnxruntime"}
    longer = [[2, *[11, 12, 13] * 9, 5, 3], [2, 5, 3]]
    fast, slow = zoohub.predict(run.path, longer), zoohub.predict(run.path, longer, mode="pynative")
    assert {one.engine for one in fast} == {"onnxruntime"}
    for one, other in zip(fast, slow, strict=True):
        score, wanted = one.predictions[0], other.predictions[0]
        assert (score.label, score.score) == (wanted.label, pytest.approx(wanted.score, rel=1e-4))
    (*_, unknown) = zoohub.predict(run.path, [*longer, [2, 15]])
    assert "token 15 is none of the network's 15" in str(unknown.error)
    words = ("--text", "The film was fine", "--vocab", str(source.with_name("vocab.txt")))
    assert main(["predict", str(run.path), *words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["predictions"][0]["label"] == "good"
    assert row["predictions"][0]["score"] == pytest.approx(found[0].predictions[0].score, abs=1e-5)
    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True, length=12)
    again = zoohub.predict(file, ids)
    assert [one.predictions[0].label for one in again] == ["good", "bad"]
