"""Words left out on their way: read, found, measured, learnt, and found by an exported file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from tests.tasks.loading import example_in, trained
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import NetworkSpec
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.fill_mask.interpret import FillMaskOptions
from zoohub.tasks.fill_mask.rows import Masked
from zoohub.tasks.finding import find_reader, find_task, task_for, task_to_learn

example = example_in("fill_mask")
TASK = find_task("fill-mask")
SHARED = "natural-language-understanding"


def read(source: Path, **settings: Any) -> Any:
    reader = find_reader(TASK, source, "a model")
    return reader.read(replace(reader.describe(source), **settings))


def scores(*best: int) -> TokenScores:
    """One text, in which these words are found at its masks."""
    logits = np.zeros((1, len(best), len(example.WORDS)), np.float32)
    logits[0, range(len(best)), list(best)] = math.log(2 * (len(example.WORDS) - 1))
    return TokenScores(logits)


@pytest.mark.parametrize(
    ("spec", "claimed"),
    [
        (NetworkSpec("bert", {"head": "pretraining"}), True),
        (NetworkSpec("nezha", {}), True),  # its first head
        (NetworkSpec("roberta", {"head": "fill-mask"}), True),
        (NetworkSpec("xlm", {}), True),
        (NetworkSpec("xlm", {"causal": True}), False),
        (NetworkSpec("bert", {}), False),
        (NetworkSpec("luke", {}), False),
    ],
)
def test_a_network_is_claimed_by_what_it_ends_in(spec: NetworkSpec, claimed: bool) -> None:
    assert TASK.claims(spec) is claimed
    assert (task_for(SHARED, spec) is TASK) is claimed
    if claimed:
        TASK.check_network(spec)
    else:
        with pytest.raises(DataError, match=r"predicts this with the head 'pretraining' or"):
            TASK.check_network(spec)


def test_the_data_decides_what_a_pretrained_network_learns(tmp_path: Path) -> None:
    spec = NetworkSpec("bert", {"head": "pretraining"})
    texts = example.write(tmp_path / "data")
    labels = tmp_path / "labels.csv"
    labels.write_text("text,label\na,b\n")
    assert task_to_learn(SHARED, spec, texts) is TASK
    assert task_to_learn(SHARED, spec, str(labels)) is find_task("text-classification")
    assert task_to_learn(SHARED, spec, tmp_path / "nothing") is TASK
    classifier = NetworkSpec("bert", {"head": "classification"})
    assert task_to_learn(SHARED, classifier, texts) is find_task("text-classification")


def test_a_mask_is_filled_in_the_text_as_it_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    vocab = str(example.write(tmp_path / "data").with_name("vocab.txt"))
    options = FillMaskOptions(top=2, vocab=vocab)
    prepare = TASK.prepare(example.CONTRACT, options)
    (row,) = prepare(Sentence("a", text="The Sun  and [MASK]!"))
    (found,) = TASK.interpret(scores(10), [row], None, options)
    assert [word.text for word in found] == ["The Sun  and moon!", "The Sun  and [PAD]!"]
    assert found[0].token == "moon"
    assert found[0].score == pytest.approx(2 / 3, abs=1e-6)
    (row,) = prepare(Sentence("a", text="cat [MASK] [MASK]"))
    (found,) = TASK.interpret(scores(14, 13), [row], None, replace(options, top=1))
    assert [word.to_json() for word in found] == [
        {"token": "##s", "score": 0.666667, "text": "cats [MASK]", "mask": 0},
        {"token": "and", "score": 0.666667, "text": "cat [MASK] and", "mask": 1},
    ]
    assert TASK.lines(found)[1] == " 66.7%  and  for mask 2"
    (row,) = prepare(Sentence("a", ids=(2, 5, 13, 4, 3)))
    (found,) = TASK.interpret(scores(9), [row], None, replace(options, threshold=0.5))
    assert [word.text for word in found] == ["king and queen"]


def test_a_mask_that_takes_the_blank_before_it_leaves_it_there(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {word: number for number, word in enumerate(("<unk>", "<mask>", "a", "Paris", "."))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True, special=True)])
    made.save(str(tmp_path / "tokenizer.json"))
    options = FillMaskOptions(top=1, vocab=str(tmp_path / "tokenizer.json"))
    (row,) = TASK.prepare(example.CONTRACT, options)(Sentence("a", text="a  <mask>."))
    (found,) = TASK.interpret(scores(3), [row], None, options)
    assert found[0].text == "a  Paris."
    assert found[0].to_json()["mask"] is None  # a table's columns are those of its first row


def test_ids_need_to_say_which_is_the_mask() -> None:
    prepare = TASK.prepare(example.CONTRACT, FillMaskOptions(mask_id=4))
    (row,) = prepare(Sentence("a", ids=(2, 5, 4, 4, 3)))
    assert row.geometry.places == (2, 3)
    (found,) = TASK.interpret(scores(9, 9), [row], None, FillMaskOptions(top=1))
    assert [(word.token, word.text) for word in found] == [(9, None), (9, None)]
    assert found[0].line() == " 66.7%  token 9  for mask 1"
    for ids, problem in (
        ((2, 5, 3), "no word is left out; write the mask"),
        ((2, 4, 99), "token 99 is none of the network's 15"),
        ((4,) * 17, "17 tokens, the network takes 16; a text with masks is not cut"),
    ):
        with pytest.raises(DataError, match=problem):
            prepare(Sentence("a", ids=ids))
    with pytest.raises(DataError, match=r"which of these ids is the mask .* --mask-id N"):
        TASK.prepare(example.CONTRACT, FillMaskOptions())(Sentence("a", ids=(2, 4, 3)))
    with pytest.raises(DataError, match=r"is text, .*--vocab FILE"):
        TASK.prepare(example.CONTRACT, FillMaskOptions())(Sentence("a", text="[MASK]"))
    with pytest.raises(UsageError, match="top must be 1 or more"):
        FillMaskOptions(top=0)


def test_a_long_text_of_the_data_is_cut_and_one_to_be_filled_in_is_not() -> None:
    text = Masked("a", (2, *range(5, 14), 4, *[5] * 8, 4, 3), (10, 19))
    (row,) = TASK.prepare(example.CONTRACT)(text)
    assert row.inputs["input_ids"].tolist() == [2, *range(5, 14), 4, *[5] * 4, 3]
    assert row.geometry.places == (10,)
    metric = TASK.metric(())
    metric.add(scores(7), [row], [(7, 9)])
    assert (metric.figures()["words"], metric.figures()["acc"]) == (1, 1.0)
    with pytest.raises(DataError, match="no word is left out of what the network takes"):
        TASK.prepare(example.CONTRACT)(Masked("a", (*[5] * 19, 4, 3), (19,)))


def test_scores_are_looked_up_at_the_masks_alone() -> None:
    class Runner:
        inputs = ("input_ids", "attention_mask")
        seen: list[int] = []  # noqa: RUF012

        def run(self, inputs: Any) -> Any:
            self.seen.append(len(inputs["input_ids"]))
            ids = inputs["input_ids"].astype(np.float32)
            return {"words": np.stack([ids, ids + 1], -1).reshape(-1, 2), "next_sentence": ids}

    prepare = TASK.prepare(example.CONTRACT, FillMaskOptions(mask_id=4))
    rows = [row for n in range(9) for row in prepare(Sentence("a", ids=(2, 4, *[5] * n, 4)))]
    rows += prepare(Sentence("a", ids=(2, 4)))
    runner = Runner()
    raw = TASK.infer({"": runner}, TASK.collate(rows), example.CONTRACT, rows)  # type: ignore[dict-item]
    assert raw["words"].shape == (10, 2, 2)
    assert raw["words"][0].tolist() == [[4, 5], [4, 5]]
    assert raw["words"][9].tolist() == [[4, 5], [0, 0]]
    assert runner.seen == [8, 2]


def test_words_are_left_out_by_the_seed_and_never_the_marks(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    source = example.write(tmp_path / "data")
    splits = read(source, masked=0.5)
    assert (len(splits.train), len(splits.validation), len(splits.skipped)) == (54, 6, 1)
    for text, truth in zip(splits.train.inputs, splits.train.targets, strict=True):
        assert len(truth) == len(text.places) == 2
        assert all(0 < place < 4 for place in text.places)
        assert all(text.ids[place] == 4 for place in text.places)
    assert list(read(source, masked=0.5).identity()) == list(splits.identity())
    assert list(read(source, masked=0.5, seed=1).identity()) != list(splits.identity())


def test_texts_are_read_from_a_jsonl_of_ids(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [{"text": [2, 5, 13, 9, 3], "split": "train"}, {"text": [2, 3], "split": "train"},
            {"text": "king", "split": "train"}, {"text": [2, 5, 3], "split": "odd"},
            {"text": [2, 6, 3], "split": "val"}]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="which token is the mask is not known"):
        read(file)
    splits = read(file, mask_id=4)
    assert (len(splits.train), len(splits.validation), len(splits.skipped)) == (1, 1, 3)
    assert splits.validation.inputs == [Masked(f"{file}:5", (2, 4, 3), (1,))]
    assert splits.validation.targets == [(6,)]


def test_training_leaves_out_other_words_each_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    splits = read(example.write(tmp_path / "data"))
    recipe = TASK.default_recipe("m", None, read.__defaults__, example.CONTRACT, 54)
    data = find_reader(TASK, tmp_path / "data" / "texts.txt", "m").describe(tmp_path)
    make = TASK.training_rows(splits.train, example.CONTRACT, replace(recipe, data=data))
    whole = [list(text.ids) for text in splits.train.inputs]
    for ids, text, truth in zip(whole, splits.train.inputs, splits.train.targets, strict=True):
        for place, id in zip(text.places, truth, strict=True):
            ids[place] = id
    places, kept = set(), 0
    for epoch in range(40):
        row = make(3, np.random.default_rng(0), lambda name, why: None, epoch)
        (place,) = np.flatnonzero(row.targets["labels"] >= 0)
        places.add(int(place))
        assert row.targets["labels"][place] == whole[3][place]
        kept += int(row.inputs["input_ids"][place] != 4)
        others = np.delete(row.inputs["input_ids"], place)
        assert others.tolist() == np.delete(whole[3] + [0] * 11, place).tolist()
    assert places == {1, 2, 3}
    assert 0 < kept < 20


def test_the_loss_is_that_of_the_words_left_out() -> None:
    from mindspore import Tensor

    from zoohub.tasks.fill_mask.loss import MaskedCrossEntropy

    random = np.random.default_rng(0)
    logits = random.standard_normal((2, 3, 5)).astype(np.float32)
    labels = np.array([[-1, 2, -1], [4, -1, 0]], np.int32)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    wanted = -(logp[0, 1, 2] + logp[1, 0, 4] + logp[1, 2, 0]) / 3
    loss = MaskedCrossEntropy()
    assert float(loss(Tensor(logits), Tensor(labels))) == pytest.approx(wanted, rel=1e-5)
    both = (Tensor(logits), Tensor(logits[0]))
    assert float(loss(both, Tensor(labels))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.slow
def test_it_goes_the_whole_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    source = example.write(tmp_path / "data")
    run = trained(TASK, source, tmp_path, example.NETWORK, contract=example.CONTRACT, lr=3e-3,
                  epochs=40, batch_size=8)  # fmt: skip
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert run.metrics["acc"] > 0.8
    figures = zoohub.evaluate(run.path, source)
    assert figures["count"] == 60
    assert figures["acc"] > 0.8
    assert main(["eval", str(run.path), "--data", str(source)]) == 3  # an empty text is left out
    assert [line.split() for line in capsys.readouterr().out.splitlines()][1] == ["texts", "60"]

    words = ("--text", "Salt and [MASK]", "--vocab", str(source.with_name("vocab.txt")))
    assert main(["predict", str(run.path), *words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["predictions"][0]["text"] == "Salt and pepper"
    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True, length=16)
    (found,) = zoohub.predict(file, [[2, 7, 13, 4, 3]], mask_id=4)
    assert found.engine == "onnxruntime"
    assert found.predictions[0].token == 11
    assert found.predictions[0].score == pytest.approx(row["predictions"][0]["score"], abs=1e-4)
