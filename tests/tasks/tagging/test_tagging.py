"""Tags of words on their way: read, chained, put together, measured, learnt and exported."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from tests.tasks.loading import example_in, trained
from zoohub.cli.main import main
from zoohub.core import notes
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, Text
from zoohub.manifest.entry import NetworkSpec
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.finding import find_reader, find_task, task_for, task_to_learn
from zoohub.tasks.tagging.entities import entities
from zoohub.tasks.tagging.interpret import TaggingOptions
from zoohub.tasks.tagging.rows import Words
from zoohub.tasks.tagging.viterbi import best_chain, chain_loss

example = example_in("tagging")
TASK = find_task("named-entity-recognition")
SHARED = "natural-language-understanding"


def read(source: Path, **settings: Any) -> Any:
    reader = find_reader(TASK, source, "a model")
    return reader.read(replace(reader.describe(source), **settings))


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-A I-A O B-A", "A:0-2 A:3-4"),
        ("I-A I-A O I-B", "A:0-2 B:3-4"),  # IOB1: `B` only where two meet
        ("B-A B-A I-B", "A:0-1 A:1-2 B:2-3"),
        ("B-A I-B I-B", "A:0-1 B:1-3"),
        ("S-A B-B I-B E-B E-B", "A:0-1 B:1-4 B:4-5"),
        ("B-A E-A I-A", "A:0-2 A:2-3"),
        ("B-A M-A E-A U-A L-A", "A:0-3 A:3-4 A:4-5"),
        ("class 1 class_1 O", "class:0-1"),
        ("O O", ""),
    ],
)
def test_entities_are_those_that_conll_counts(tags: str, found: str) -> None:
    names = tags.split() if "class" not in tags else ["class", "O", "O"]
    assert " ".join(f"{kind}:{a}-{b}" for kind, a, b in entities(names)) == found


def test_the_best_chain_is_the_best_of_all_and_so_is_its_probability() -> None:
    random = np.random.default_rng(0)
    for length in (1, 2, 4):
        scores, after = random.standard_normal((length, 5)), random.standard_normal((5, 5))
        totals = {}
        for chain in itertools.product(range(3), repeat=length):
            steps = zip((3, *chain), (*chain, 4), strict=True)
            total = sum(after[to, was] for was, to in steps)
            totals[chain] = total + sum(scores[place, tag] for place, tag in enumerate(chain))
        best = max(totals, key=lambda chain: totals[chain])
        found, probability = best_chain(scores, after)
        assert tuple(found) == best
        for right in ({}, {0: 2}, dict(enumerate(best))):
            held = [exp for chain, exp in zip(totals, np.exp(list(totals.values())), strict=True)
                    if all(chain[place] == tag for place, tag in right.items())]  # fmt: skip
            share = sum(held) / np.exp(list(totals.values())).sum()
            assert chain_loss(scores, after, right) == pytest.approx(-np.log(share), abs=1e-9)
        wanted = np.exp(totals[best]) / np.exp(list(totals.values())).sum()
        assert probability == pytest.approx(wanted, rel=1e-6)


def test_a_network_is_claimed_by_its_head_and_another_gets_one() -> None:
    for builder, head in itertools.product(
        ("bert", "ernie", "nezha"), ("tagging", "chain-tagging", "recurrent-chain-tagging")
    ):
        spec = NetworkSpec(builder, {"head": head})
        assert task_for(SHARED, spec) is TASK
        assert TASK.network_for(spec) == spec
    pretrained = NetworkSpec("bert", {"head": "pretraining", "hidden_size": 8})
    found = TASK.network_for(pretrained)
    assert found.arguments == {"head": "tagging", "hidden_size": 8}
    assert {"dense_1", "cls1", "transitions"} <= set(str(found.head).split())
    for other in (NetworkSpec("roberta", {"head": "fill-mask"}), NetworkSpec("bert", {})):
        assert TASK.network_for(other) == other
        with pytest.raises(DataError, match=r"tags no words; .* with the head 'tagging'"):
            TASK.check_network(other)


def test_the_data_decides_that_an_encoder_learns_to_tag(tmp_path: Path) -> None:
    source = example.write(tmp_path / "data")
    for head in ("pretraining", "tagging", "classification"):
        assert task_to_learn(SHARED, NetworkSpec("bert", {"head": head}), source) is TASK
    answers = NetworkSpec("bert", {"head": "question-answering"})
    assert task_to_learn("question-answering", answers, source) is TASK
    labels = tmp_path / "labels.csv"
    labels.write_text("text,label\na,b\n")
    found = task_to_learn("question-answering", answers, labels)
    assert found is find_task("text-classification")
    renamed = source.rename(source.with_suffix(".txt"))
    assert task_to_learn(SHARED, NetworkSpec("bert", {"head": "pretraining"}), renamed) is TASK


def test_spans_are_characters_of_the_text(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    vocab = str(example.write(tmp_path / "data").with_name("vocab.txt"))
    options = TaggingOptions(vocab=vocab)
    (row,) = TASK.prepare(example.CONTRACT, options)(Sentence("a", text="Anns  bob met, eveby"))
    assert row.geometry.firsts == (1, 3, 4, 5, 6)
    names = ("B-PER", "I-PER", "O")
    (found,) = TASK.interpret(example.perfect([row], [(0, 1, 2, 2, 0)], 3), [row], names, options)
    assert [(one.label, one.text, one.start, one.end) for one in found] == [
        ("PER", "Anns  bob", 0, 9), ("PER", "eveby", 15, 20),
    ]  # fmt: skip
    assert found[0].score == pytest.approx(1.0, abs=1e-6)
    assert found[0].line() == "100.0%  PER  Anns  bob"
    (row,) = TASK.prepare(example.CONTRACT)(Sentence("a", ids=(2, 5, 6, 3)))
    (found,) = TASK.interpret(example.perfect([row], [(0, 1)], 3), [row], names, options)
    assert [one.to_json() for one in found] == [
        {"label": "PER", "text": None, "start": 1, "end": 3, "score": 1.0}
    ]
    assert found[0].line() == "100.0%  PER  tokens 1 to 2"
    with pytest.raises(DataError, match=r"is text, .*--vocab FILE"):
        TASK.prepare(example.CONTRACT)(Sentence("a", text="ann"))


def test_a_chain_is_decoded_and_start_and_stop_are_no_classes() -> None:
    (row,) = TASK.prepare(example.CONTRACT)(Sentence("a", ids=(2, 5, 6, 3)))
    logits = np.zeros((1, 4, 4), np.float32)  # B, O, start, stop
    logits[0, 1] = [1.0, 2.0, 50.0, 50.0]
    after = np.zeros((4, 4), np.float32)
    after[0, 0] = 10.0  # B after B
    form = TokenScores(logits, after)
    (found,) = TASK.interpret(form, [row], ("B-PER", "O"), TaggingOptions())
    assert [(one.label, one.start) for one in found] == [("PER", 1), ("PER", 2)]
    assert 0.9 < found[0].score <= 1.0
    metric = TASK.metric(("B-PER", "O"))
    metric.add(form, [row], [(0, 0)])
    figures = metric.figures()
    assert figures["f1"] == 1.0
    assert figures["loss"] == pytest.approx(chain_loss(logits[0], after, {1: 0, 2: 0}) / 2)
    assert TASK.class_names(form, ("x", "y")) == ("x", "y")
    assert TASK.class_names(form, ("x",)) == ("class 0", "class 1")


def test_a_runner_that_took_the_chain_for_a_batch_is_asked_again() -> None:
    class Runner:
        """Filled up to 4 texts before; the chain has 4 classes too."""

        inputs = ("input_ids",)

        def run(self, inputs: Any) -> Any:
            ids = inputs["input_ids"]
            tags = np.zeros((4 * ids.shape[1], 4), np.float32)
            return {"tags": tags, "after": np.eye(4, dtype=np.float32)[: len(ids)]}

    rows = list(TASK.prepare(example.CONTRACT)(Sentence("a", ids=(2, 5, 6, 3))))
    raw = TASK.infer({"": Runner()}, TASK.collate(rows), example.CONTRACT, rows)  # type: ignore[dict-item]
    assert raw["after"].shape == (4, 4)
    assert raw["tags"].shape == (1, 16, 4)


def test_conll_files_and_json_lines_are_read(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    splits = read(example.write(tmp_path / "data"))
    assert splits.classes == ("B-PER", "O")
    assert (len(splits.train), len(splits.validation)) == (36, 4)
    (problem,) = splits.skipped.values()
    assert problem.endswith("people.conll:28: expected a word and its tag, found 'dog'")
    first = splits.train.inputs[0]
    assert first.text.split()[1] == "met"
    assert first.firsts == (1, 3)
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, text in (
        ("train", "ann B-PER\nmet O\n"), ("dev", "bob B-PER\n\nann B-LOC\n"), ("test", "eve O\n")
    ):  # fmt: skip
        (folder / f"{name}.txt").write_text(text)
    (folder / "vocab.txt").write_text("\n".join(example.WORDS))
    splits = read(folder)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [1, 1, 1]
    assert splits.warnings == ("tags without training texts: B-LOC",)
    (problem,) = splits.skipped.values()
    assert problem.endswith("dev.txt:3: no text to train on has the tag B-LOC")
    file = tmp_path / "a.jsonl"
    rows = [{"ids": [2, 5, 3], "tags": ["O", "B-PER", "O"]}, {"tokens": ["ann"], "tags": ["O"]},
            {"ids": [2, 5], "tags": ["O"]}, {"ids": [], "tags": []}]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = read(file)
    assert splits.train.inputs[0].firsts == (0, 1, 2)
    assert [reason.partition(": ")[2][:24] for reason in splits.skipped.values()] == [
        "expected the lists `toke", "2 words and 1 tag; each",
    ] or len(splits.skipped) == 3  # fmt: skip


def test_a_longer_text_is_cut_and_its_last_words_count_as_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    contract = replace(example.CONTRACT, text=replace(example.CONTRACT.text, max_length=4))
    spans = ((0, 1), (1, 2), (2, 3), (3, 4))
    words = Words("a", (2, 5, 6, 7, 5, 3), (1, 2, 3, 4), spans)
    (row,) = TASK.prepare(contract)(words)
    assert row.inputs["input_ids"].tolist() == [2, 5, 6, 3]
    assert said == ["a: 6 tokens, the network takes 4: the last 2 of 4 words have no tag"]
    metric = TASK.metric(("B-PER", "O"))
    metric.add(example.perfect([row], [(0, 1)], 2), [row], [(0, 1, 1, 0)])
    figures = metric.figures()
    assert (figures["precision"], figures["recall"]) == (1.0, 0.5)
    assert figures["f1"] == pytest.approx(2 / 3)
    assert figures["types"] == {"PER": pytest.approx(2 / 3)}


def test_the_loss_is_that_of_words_alone() -> None:
    from mindspore import Tensor

    from zoohub.tasks.tagging.loss import TagCrossEntropy

    random = np.random.default_rng(0)
    logits = random.standard_normal((2, 3, 4)).astype(np.float32)
    labels = np.array([[-1, 2, -1], [3, -1, 0]], np.int32)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    right = np.array([logp[0, 1, 2], logp[1, 0, 3], logp[1, 2, 0]])
    every = np.array([logp[0, 1], logp[1, 0], logp[1, 2]]).mean(1)
    for smoothing in (0.0, 0.1):
        wanted = -((1 - smoothing) * right + smoothing * every).mean()
        loss = TagCrossEntropy(smoothing)
        assert float(loss(Tensor(logits), Tensor(labels))) == pytest.approx(wanted, rel=1e-5)
        flat = Tensor(logits.reshape(6, 4))
        assert float(loss(flat, Tensor(labels))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("mode", ["pynative", pytest.param("graph", marks=pytest.mark.slow)])
@pytest.mark.parametrize("length", [2, 3, 5, 8])
def test_the_loss_of_chains_is_the_sum_over_all_of_them(length: int, mode: str) -> None:
    import mindspore
    from mindspore import Tensor

    from zoohub.tasks.tagging.loss import ChainLoss

    random = np.random.default_rng(length)
    scores = random.standard_normal((3, length, 5)).astype(np.float32) * 3
    after = random.standard_normal((5, 5)).astype(np.float32) * 2
    labels = random.integers(-1, 3, (3, length)).astype(np.int32)
    labels[1, 1:] = -2  # a text of one token
    labels[2, 0] = -1
    lengths = (length, 1, length)
    wanted = 0.0
    for own, row, count in zip(scores, labels, lengths, strict=True):
        totals = np.zeros((3,) * count)
        for chain in np.ndindex(totals.shape):
            steps = zip((3, *chain), (*chain, 4), strict=True)
            totals[chain] = sum(after[to, was] for was, to in steps)
            totals[chain] += sum(own[place, tag] for place, tag in enumerate(chain))
        right = np.ix_(*([tag] if tag >= 0 else range(3) for tag in row[:count]))
        wanted += np.log(np.exp(totals).sum()) - np.log(np.exp(totals[right]).sum())
    wanted /= (labels >= 0).sum()
    before = mindspore.get_context("mode")
    try:
        mindspore.set_context(mode=0 if mode == "graph" else 1)
        found = ChainLoss()((Tensor(scores), Tensor(after)), Tensor(labels))
    finally:
        mindspore.set_context(mode=before)
    assert float(found) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.slow
def test_a_conditional_random_field_is_trained(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    source = example.write(tmp_path / "data")
    network = example.NETWORK.replace("head: tagging", "head: chain-tagging")
    assert network != example.NETWORK
    run = trained(TASK, source, tmp_path, network, contract=example.CONTRACT, lr=1e-2, epochs=8,
                  batch_size=8)  # fmt: skip
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert run.metrics["f1"] == 1.0
    assert run.net.transitions.shape == (4, 4)
    figures = zoohub.evaluate(run.path, source)
    assert (figures["count"], figures["f1"]) == (40, 1.0)
    assert figures["loss"] < 0.2
    vocab = source.with_name("vocab.txt")
    (found,) = zoohub.predict(run.path, Text("Bobs met Eve the"), vocab=vocab)
    assert [(one.label, one.text) for one in found.predictions] == [("PER", "Bobs"), ("PER", "Eve")]


@pytest.mark.slow
def test_it_goes_the_whole_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    source = example.write(tmp_path / "data")
    run = trained(TASK, source, tmp_path, example.NETWORK, contract=example.CONTRACT, lr=1e-2,
                  epochs=8, batch_size=8)  # fmt: skip
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert run.metrics["f1"] == 1.0
    assert "per_class" not in run.metrics
    assert "<h2>Types</h2>" in (run.path / "report.html").read_text()
    figures = zoohub.evaluate(run.path, source)
    assert (figures["count"], figures["f1"], len(figures["skipped"])) == (40, 1.0, 1)
    assert main(["eval", str(run.path), "--data", str(source)]) == 3  # one is left out
    assert [line.split() for line in capsys.readouterr().out.splitlines()][1] == ["texts", "40"]

    words = ("--text", "Bobs met Eve the", "--vocab", str(source.with_name("vocab.txt")))
    assert main(["predict", str(run.path), *words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    found = [(one["label"], one["text"], one["start"]) for one in row["predictions"]]
    assert found == [("PER", "Bobs", 0), ("PER", "Eve", 9)]
    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True, length=16)
    (again,) = zoohub.predict(file, [[2, 6, 12, 9, 7, 10, 3]])
    assert again.engine == "onnxruntime"
    # Of ids each is a word, and so is what goes on one.
    assert (again.predictions[0].label, again.predictions[0].start) == ("PER", 1)
    assert ("PER", 4, 5) in [(one.label, one.start, one.end) for one in again.predictions]


@pytest.mark.slow
def test_an_exported_chain_names_what_its_network_does(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 32, "max_position_embeddings": 16, "num_labels": 7}  # fmt: skip
    net = zoohub.load("bertfinetune_bilstmcrf", **sizes)
    texts = [[2, 5, 6, 7, 8, 3], [2, 9, 10, 3]]
    found = zoohub.predict(net, texts)
    file = zoohub.export(net, tmp_path / "a.onnx", check=True, length=16)
    again = zoohub.predict(file, texts)
    assert any(one.predictions for one in found)
    for one, other in zip(found, again, strict=True):
        assert [(r.label, r.start, r.end) for r in one.predictions] == [
            (r.label, r.start, r.end) for r in other.predictions
        ]
