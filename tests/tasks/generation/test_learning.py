"""A language model is measured on texts, and learns from them."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import zoohub
from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.continuations import TokenLosses
from zoohub.tasks.finding import find_reader, find_task
from zoohub.tasks.generation.training_rows import TrainingWindows
from zoohub.tasks.generation.windows import Passage, windows
from zoohub.tasks.recipe import recipe_text
from zoohub.tasks.samples import Samples
from zoohub.training import finetune

TASK = find_task("language-model")


def test_every_token_but_the_first_is_asked_for_once() -> None:
    ids = tuple(range(100, 120))
    for length in (2, 3, 7, 19, 20, 21):
        parts = windows(ids, length)
        assert max(map(len, parts)) <= length
        assert [token for part in parts for token in part[1:]] == list(ids[1:])
        assert all(part[0] == before[-1] for before, part in itertools.pairwise(parts))


def read(file: Path, **data: object) -> object:
    reader = find_reader(TASK, file, "m")
    return reader.read(replace(reader.describe(file), **data))


def test_texts_are_cut_by_the_vocabulary_beside_them(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {f"w{number}": number for number in range(30)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w0"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    file = tmp_path / "a.txt"
    file.write_text(" ".join(f"w{number}" for number in range(10)) + "\n")
    with pytest.raises(DataError, match=r"a\.txt is text, .* put it beside as tokenizer.json"):
        read(file)
    made.save(str(tmp_path / "tokenizer.json"))
    splits = read(file, length=4, validation=0.3)
    assert [one.ids for one in splits.train.inputs] == [(0, 1, 2, 3), (3, 4, 5, 6)]
    assert [one.ids for one in splits.validation.inputs] == [(6, 7, 8, 9)]


def test_what_is_no_text_is_left_out_and_said(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('[1, 2, 3]\n{"text": 5}\n[7]\n[1, -2]\n')
    splits = read(file, validation=0.0)
    assert [one.ids for one in splits.train.inputs] == [(1, 2, 3)]
    assert list(splits.skipped) == [f"{file}:{line}" for line in (2, 3, 4)]
    file.write_text("[7]\n")
    with pytest.raises(DataError, match=r"no text can be used: .*a\.jsonl:1: 1 token,"):
        read(file)


def test_texts_that_say_their_part_stay_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [{"text": [n, n + 1], "split": part} for n, part in enumerate(("test", "train", "val"))]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = read(file, validation=0.5)
    found = [
        [one.ids for one in part.inputs] for part in (splits.train, splits.validation, splits.test)
    ]
    assert found == [[(1, 2)], [(2, 3)], [(0, 1)]]
    file.write_text(json.dumps(rows[1]) + "\n[1, 2]\n")
    with pytest.raises(DataError, match=r"a\.jsonl:2#0: no split, though other rows have one"):
        read(file)


def test_a_window_longer_than_the_network_takes_comes_in_parts() -> None:
    samples = Samples([Passage("p", (1, 2, 3, 4, 5))], [None], ["p"])
    rows = TrainingWindows(samples, TextContract(max_length=3, vocab_size=9))
    found = [rows(0, np.random.default_rng(0), print, epoch) for epoch in range(3)]
    assert [row.inputs["ids"].tolist() for row in found] == [[1, 2], [3, 4], [1, 2]]
    assert [row.targets["labels"].tolist() for row in found] == [[2, 3], [4, 5], [2, 3]]
    with pytest.raises(DataError, match="token 5 is none of the network's 5"):
        TrainingWindows(samples, TextContract(max_length=9, vocab_size=5))(
            0, np.random.default_rng(0), lambda name, why: None, 0
        )
    prepare = TASK.prepare(InputContract(text=TextContract(max_length=3, vocab_size=9)))
    assert [row.inputs["ids"].tolist() for row in prepare(samples.inputs[0])] == [
        [1, 2, 3],
        [3, 4, 5],
    ]


def test_perplexity_is_of_all_tokens_together() -> None:
    metric = TASK.metric(())
    with pytest.raises(DataError, match="no text"):
        metric.figures()
    ones = np.array([1.0, 0.0], np.float32)
    metric.add(TokenLosses(np.array([3.0, 9.0]), ones, np.array([1, 3])), [], [None, None])
    figures = metric.figures()
    assert (figures["count"], figures["tokens"], figures["loss"]) == (2, 4, 3.0)
    assert figures["perplexity"] == pytest.approx(math.exp(3))
    assert figures["acc"] == 0.25


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("e", Path(__file__).with_name("example.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_it_learns_to_count_is_measured_and_goes_on(tmp_path: Path) -> None:
    source = example().write(tmp_path / "data")
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("m", None, data, example().CONTRACT, 32)
    text = recipe_text(
        replace(recipe, epochs=12, batch_size=8, optimizer=replace(recipe.optimizer, lr=2e-2))
    )
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "text:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + example().NETWORK)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    assert run.metrics["acc"] > 0.9
    assert run.metrics["perplexity"] == pytest.approx(math.exp(run.metrics["loss"]), rel=1e-5)
    figures = zoohub.evaluate(run.path, source)
    assert (figures["count"], len(figures["skipped"])) == (40, 1)
    assert figures["perplexity"] < 2
    (found,) = zoohub.predict(run.path, [[3, 4, 5]], max_new_tokens=3)
    assert found.predictions[0].tokens == (6, 7, 8)
    by_hand = own_loss(run.net, source)
    assert figures["loss"] == pytest.approx(by_hand, rel=1e-3)


def own_loss(net: object, source: Path) -> float:
    """The mean of -ln p, text by text."""
    from mindspore import Tensor

    total, count = 0.0, 0
    for line in source.read_text().splitlines():
        ids = json.loads(line)
        if len(ids) < 2:
            continue
        logits = net(Tensor(np.array([ids[:-1]], np.int32))).asnumpy()[0].astype(float)
        logits -= logits.max(-1, keepdims=True)
        found = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        total -= found[np.arange(len(ids) - 1), ids[1:]].sum()
        count += len(ids) - 1
    return total / count
