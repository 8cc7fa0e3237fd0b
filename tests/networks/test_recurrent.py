"""Recurrent and graph networks of which no reference output is published, held to their papers."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from cases import case_of
from mindspore import Tensor, nn
from references import Reference, output_of
from weights_rule import fill_by_rule, rule_value

from zoohub.networks.families import find_family
from zoohub.networks.layers.recurrent import run_lstm
from zoohub.tasks.tagging.viterbi import best_chain


def test_an_lstm_with_joint_weights_computes_as_mindspores_own() -> None:
    own = nn.LSTM(3, 4)
    fill_by_rule(own)
    named = {parameter.name: parameter.asnumpy() for parameter in own.get_parameters()}
    weight = np.concatenate((named["weight_ih_l0"].T, named["weight_hh_l0"].T))
    order = np.r_[0:4, 8:12, 4:8, 12:16]  # forget and candidate change places
    bias = named["bias_ih_l0"] + named["bias_hh_l0"]
    x = Tensor(np.random.default_rng(0).standard_normal((5, 2, 3)).astype(np.float32))
    states = run_lstm(x, Tensor(weight[:, order]), Tensor(bias[order]))
    np.testing.assert_allclose(states.asnumpy(), own(x)[0].asnumpy(), atol=1e-6)


def test_reviews_are_classified_alike_by_the_older_files_weights() -> None:
    small = {"vocab_size": 20, "embed_dim": 3, "hidden": 4}
    own = find_family("lstm").load()(**small)
    older = find_family("lstm").load()(**small, joint=True)
    fill_by_rule(own)
    named = {parameter.name: parameter.asnumpy() for parameter in own.get_parameters()}
    order = np.r_[0:4, 8:12, 4:8, 12:16]  # forget and candidate change places
    for layer, (way, last) in itertools.product((0, 1), {"fw": "", "bw": "_reverse"}.items()):
        w_ih, w_hh, b_ih, b_hh = (
            named[f"encoder.{part}_l{layer}{last}"]
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        named[f"encoder.w_{way}_layer{layer}"] = np.concatenate((w_ih.T, w_hh.T))[:, order]
        named[f"encoder.b_{way}_layer{layer}"] = (b_ih + b_hh)[order]
    for parameter in older.get_parameters():
        parameter.set_data(Tensor(named[parameter.name]))
    ids = Tensor(np.random.default_rng(0).integers(0, 20, (2, 7)).astype(np.int32))
    wanted = own.set_train(False)(ids).asnumpy()
    np.testing.assert_allclose(older.set_train(False)(ids).asnumpy(), wanted, atol=1e-6)


def test_the_gated_translator_computes_as_its_papers_say() -> None:
    net = find_family("gru").load()(source_vocab=12, target_vocab=9, embed_dim=3, hidden=4)
    fill_by_rule(net)
    named = {parameter.name: parameter.asnumpy() for parameter in net.get_parameters()}

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ named[f"{name}.weight"].T + named.get(f"{name}.bias", 0.0)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def unit(name: str, way: str, x: np.ndarray, state: np.ndarray) -> np.ndarray:
        inner = x @ named[f"{name}.weight_ih_l0{way}"].T + named[f"{name}.bias_ih_l0{way}"]
        outer = state @ named[f"{name}.weight_hh_l0{way}"].T + named[f"{name}.bias_hh_l0{way}"]
        reset, update = (sigmoid(inner[part] + outer[part]) for part in (slice(4), slice(4, 8)))
        new = np.tanh(inner[8:] + reset * outer[8:])
        return (1 - update) * new + update * state

    def run(name: str, way: str, words: np.ndarray) -> list[np.ndarray]:
        states = [np.zeros(4)]
        for word in words:
            states.append(unit(name, way, word, states[-1]))
        return states[1:]

    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 12, (2, 5)), rng.integers(0, 9, (2, 3))
    wanted = []
    for text, other in zip(source, target, strict=True):
        words = named["encoder.embedding.embedding_table"][text]
        forward = run("encoder.rnn", "", words)
        backward = run("encoder.rnn", "_reverse", words[::-1])
        encoded = np.concatenate((forward, backward[::-1]), 1)
        state = np.tanh(dense("encoder.fc", np.concatenate((forward[-1], backward[-1]))))
        for word in named["decoder.embedding.embedding_table"][other]:
            asked = np.concatenate((np.tile(state, (5, 1)), encoded), 1)
            energy = dense("decoder.attention.fc", np.tanh(dense("decoder.attention.attn", asked)))
            weights = np.exp(energy) / np.exp(energy).sum()
            context = (weights * encoded).sum(0)
            state = unit("decoder.rnn", "", np.concatenate((word, context)), np.zeros(4))
            logits = dense("decoder.fc", np.concatenate((word, state, context)))
            wanted.append(logits - np.log(np.exp(logits).sum()))
    arrays = (Tensor(array.astype(np.int32)) for array in (source, target))
    found = net.set_train(False)(*arrays).asnumpy()
    np.testing.assert_allclose(found.reshape(6, 9), wanted, atol=1e-5)


@pytest.mark.slow
def test_the_translator_with_joint_weights_computes_as_with_split_ones() -> None:
    small = {"vocab_size": 30, "embed_dim": 8}
    split = find_family("gnmt_v2").load()(**small, split_weights=True).set_train(False)
    joint = find_family("gnmt_v2").load()(**small).set_train(False)
    fill_by_rule(split)
    named = {parameter.name: parameter.asnumpy() for parameter in split.get_parameters()}
    order = np.r_[0:8, 16:24, 8:16, 24:32]
    for parameter in joint.get_parameters():
        name, _, last = parameter.name.rpartition(".")
        value = named[parameter.name]
        if last == "dynamicRNN_w":
            parts = (named[f"{name}.lstm.weight_ih_l0"].T, named[f"{name}.lstm.weight_hh_l0"].T)
            value = np.concatenate(parts)[:, order]
        elif last == "dynamicRNN_b":
            value = (named[f"{name}.lstm.bias_ih_l0"] + named[f"{name}.lstm.bias_hh_l0"])[order]
        parameter.set_data(Tensor(value))
    rng = np.random.default_rng(0)
    source, target = (Tensor(rng.integers(0, 30, (2, n)).astype(np.int32)) for n in (6, 5))
    mask = Tensor(np.array([[1] * 6, [1] * 4 + [0] * 2], np.float32))
    wanted = split(source, target, mask).asnumpy()
    np.testing.assert_allclose(joint(source, target, mask).asnumpy(), wanted, atol=1e-5)


@pytest.mark.slow
def test_the_recurrent_translator_sees_no_later_target_word() -> None:
    net = find_family("seq2seq").load()(vocab_size=30, embed_dim=8).set_train(False)
    fill_by_rule(net)  # drawn weights may pass nothing on
    source = Tensor(np.arange(6, dtype=np.int32)[None])
    first, second = (np.array([[1, 2, 3, last]], np.int32) for last in (4, 5))
    before, after = net(source, Tensor(first)).asnumpy(), net(source, Tensor(second)).asnumpy()
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3] != after[:, 3]).any()
    np.testing.assert_allclose(np.exp(before).sum(-1), 1.0, rtol=1e-5)


def test_graph_attention_is_that_of_its_paper() -> None:
    net = find_family("gat").load()(in_features=5, hidden=2, heads=(2, 1), num_classes=3)
    net.set_train(False)
    fill_by_rule(net)
    named = {parameter.name: parameter.asnumpy() for parameter in net.get_parameters()}
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 4, 5)).astype(np.float32)
    near = np.eye(4) + np.eye(4, k=1)
    mask = np.where(near > 0, 0.0, -1e9).astype(np.float32)[None]

    def head(name: str, x: np.ndarray) -> np.ndarray:
        h = x @ named[f"{name}.feature_transform.weight"].T
        one, two = (
            h @ named[f"{name}.f_{n}_transform.weight"].T + named[f"{name}.f_{n}_transform.bias"]
            for n in (1, 2)
        )
        scores = one + two.T
        weights = np.where(near > 0, np.exp(np.where(scores > 0, scores, 0.2 * scores)), 0.0)
        return weights / weights.sum(1, keepdims=True) @ h + named[f"{name}.bias"]

    joined = np.concatenate([head(f"layers.0.attns.{n}", x[0]) for n in (0, 1)], 1)
    hidden = np.where(joined > 0, joined, np.expm1(joined))
    found = net(Tensor(x), Tensor(mask)).asnumpy()
    np.testing.assert_allclose(found[0], head("layers.1.attns.0", hidden), atol=1e-5)


@pytest.mark.parametrize("frames", [49, 25])
def test_the_keyword_spotter_scores_each_word_once(frames: int) -> None:
    net = find_family("dscnn").load()(channels=4, frames=frames).set_train(False)
    x = Tensor(np.zeros((2, 1, frames, 20), np.float32))
    assert net(x).shape == (2, 12)


@pytest.mark.slow
def test_the_best_chain_of_the_chain_tagger_is_its_publishers(shared: Path) -> None:
    """The reference has of each word where the best chain to each tag came from, and the last tag;
    what stands before the first word is the start."""
    case = case_of("lstm_crf:models_nlp/lstm_crf_small")
    oracle = shared / "oracle"
    reference = Reference(case, oracle)
    (scores,) = output_of(case, reference.gain, reference.names)
    after = rule_value("transitions", (11, 11))
    stored = np.load(oracle / "golden" / "models_nlp" / "lstm_crf_small.npz")
    words = scores.shape[1]
    for text, own in enumerate(scores):
        chain = [int(stored[f"out{words + 1}_value"][text])]
        for word in range(words, 1, -1):
            chain.append(int(stored[f"out{word}_value"].reshape(2, -1)[text][chain[-1]]))
        assert best_chain(own, after)[0] == chain[::-1]
