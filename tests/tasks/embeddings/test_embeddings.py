"""Texts on their way to vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zoohub
from tests.tasks.loading import example_in
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import NetworkSpec
from zoohub.outputs import ClassScores
from zoohub.outputs.text_heads import TokenStates, text_head
from zoohub.tasks.embeddings.pooling import EmbeddingOptions
from zoohub.tasks.finding import find_task, task_for

example = example_in("tagging")
TASK = find_task("text-embedding")
SHARED = "natural-language-understanding"


def test_encoders_without_a_head_are_claimed() -> None:
    for builder in ("bert", "albert", "ernie", "roberta", "tinybert"):
        assert task_for(SHARED, NetworkSpec(builder, {})) is TASK
    assert task_for(SHARED, NetworkSpec("uie", {"head": "encoder"})) is TASK
    for spec in (NetworkSpec("nezha", {}), NetworkSpec("bert", {"head": "classification"}),
                 NetworkSpec("luke", {})):  # fmt: skip
        assert task_for(SHARED, spec) is not TASK
        with pytest.raises(DataError, match=r"predicts this with the head 'encoder'"):
            TASK.check_network(spec)


def test_a_vector_is_the_mean_over_the_texts_own_tokens() -> None:
    prepare = TASK.prepare(example.CONTRACT)
    rows = [*prepare(Sentence("a", ids=(2, 5, 3))), *prepare(Sentence("b", ids=(2, 5, 6, 3)))]
    states = np.random.default_rng(0).standard_normal((2, 16, 3)).astype(np.float32)
    form = text_head({"states": states, "pooled": states[:, 5]}, (0, 0))
    found = {
        (pooling, norm): [
            np.array(one.vector)
            for (one,) in TASK.interpret(form, rows, None, EmbeddingOptions(pooling, norm))
        ]
        for pooling in ("mean", "cls", "pooler")
        for norm in ("none", "l2")
    }
    np.testing.assert_allclose(found["mean", "none"][0], states[0, :3].mean(0), rtol=1e-6)
    np.testing.assert_allclose(found["mean", "none"][1], states[1, :4].mean(0), rtol=1e-6)
    np.testing.assert_array_equal(found["cls", "none"], states[:, 0])
    np.testing.assert_array_equal(found["pooler", "none"], states[:, 5])
    for pooling in ("mean", "cls", "pooler"):
        for plain, unit in zip(found[pooling, "none"], found[pooling, "l2"], strict=True):
            np.testing.assert_allclose(unit, plain / np.linalg.norm(plain), rtol=1e-6)


def test_what_cannot_be_is_one_line() -> None:
    with pytest.raises(UsageError, match="pooling 'max' is not known; choose mean, cls, pooler"):
        EmbeddingOptions(pooling="max")
    with pytest.raises(UsageError, match="norm 'l1' is not known; choose none, l2"):
        EmbeddingOptions(norm="l1")
    rows = list(TASK.prepare(example.CONTRACT)(Sentence("a", ids=(2, 5, 3))))
    states = np.zeros((1, 16, 3), np.float32)
    with pytest.raises(DataError, match="has no pooler"):
        TASK.interpret(TokenStates(states), rows, None, EmbeddingOptions("pooler"))
    with pytest.raises(DataError, match=r"not finite"):
        TASK.interpret(TokenStates(states * np.nan), rows, None, EmbeddingOptions())
    with pytest.raises(DataError, match="expected states of tokens"):
        TASK.interpret(ClassScores(np.zeros((1, 2))), rows, None, EmbeddingOptions())
    (found,) = TASK.interpret(TokenStates(states), rows, None, EmbeddingOptions(norm="l2"))
    assert found[0].to_json() == {"vector": [0.0, 0.0, 0.0]}
    assert TASK.lines(found) == ["3 numbers: 0.0000 0.0000 0.0000"]
    with pytest.raises(DataError, match="token 99 is none of the network's 14"):
        TASK.prepare(example.CONTRACT)(Sentence("a", ids=(2, 99, 3)))


@pytest.mark.slow
def test_the_file_of_a_pretrained_network_gives_its_encoders_vectors(tmp_path: Path) -> None:
    """`zoohub.load(name, head="encoder")`, and back again under a new head."""
    import mindspore as ms

    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 32, "max_position_embeddings": 32}  # fmt: skip
    whole = zoohub.load("bert_base", **sizes)
    file, bare = tmp_path / "whole.ckpt", tmp_path / "bare.ckpt"
    ms.save_checkpoint(whole, str(file))
    net = zoohub.load("bert_base", checkpoint=file, head="encoder", **sizes)
    (found,) = zoohub.predict(net, [[2, 5, 6, 3]], pooling="cls")
    ids = np.array([[2, 5, 6, 3]], np.int32)
    inputs = [ms.Tensor(array) for array in (ids, ids * 0, ids * 0 + 1)]
    states = whole.bert(*inputs)[0].asnumpy()
    np.testing.assert_allclose(found.predictions[0].vector, states[0, 0], atol=1e-5)
    ms.save_checkpoint(net, str(bare))
    again = zoohub.load("bert_base", checkpoint=bare, **{**sizes, "head": "classification"})
    np.testing.assert_array_equal(again.bert(*inputs)[0].asnumpy(), states)


@pytest.mark.slow
def test_a_text_has_one_vector_whatever_its_neighbours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a network, from weights by name, and from an exported file."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    vocab = str(example.write(tmp_path / "data").with_name("vocab.txt"))
    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 32, "max_position_embeddings": 32, "head": "encoder"}  # fmt: skip
    net = zoohub.load("bert_base", **sizes)
    texts = [[2, 5, 3], [2, *range(5, 14), *range(5, 14), 3]]
    alone = zoohub.predict(net, texts[0], norm="l2")[0].predictions[0].vector
    (together, _) = zoohub.predict(net, texts, norm="l2", batch_size=2)
    np.testing.assert_allclose(together.predictions[0].vector, alone, atol=1e-5)
    assert np.linalg.norm(alone) == pytest.approx(1.0, abs=1e-5)
    file = zoohub.export(net, tmp_path / "a.onnx", check=True, length=16)
    words = ["--text", "ann", "--vocab", vocab, "--norm", "l2", "--json"]
    assert main(["predict", str(file), *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["engine"] == "onnxruntime"
    np.testing.assert_allclose(row["predictions"][0]["vector"], alone, atol=1e-5)
