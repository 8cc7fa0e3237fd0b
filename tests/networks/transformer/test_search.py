"""The Transformer and its search against references, and how often it is compiled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from searches import SMALL, SearchCase, published, read_cases

import zoohub
from zoohub.predicting import Predictor, open_predictor
from zoohub.settings import load_settings


def network(case: SearchCase) -> Any:
    net = zoohub.load("transformer_large", **case.builder)
    case.fill(net)
    return net


def predictor_of(net: Any, mode: str) -> Predictor:
    return open_predictor(net, load_settings(), mode=mode)


def assert_computes(case: SearchCase, net: Any, mode: str) -> None:
    predictor = predictor_of(net, mode)
    source = np.array(case.sentences(padded=True), np.int32)
    batch = {"source_ids": source, "source_mask": np.int32(source != 0)}
    memory = predictor.parts["encode"].run(batch)["memory"].reshape(-1)
    for place, value in case.encoder:
        assert memory[place] == pytest.approx(value, abs=1e-5)
    found = predictor.task.infer(predictor.parts, batch, predictor.input)
    np.testing.assert_array_equal(found["ids"], case.beams)
    np.testing.assert_allclose(found["scores"], case.scores, atol=2e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["graph", "pynative"])
@pytest.mark.parametrize("name", SMALL)
def test_the_search_finds_the_recorded_beams(name: str, mode: str) -> None:
    case = read_cases()[name]
    assert_computes(case, network(case), mode)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_what_is_recorded_is_what_was_published(name: str, shared: Path) -> None:
    recorded, known = read_cases()[name], published(name, shared / "oracle")
    assert recorded.builder == known.builder
    assert recorded.beams == known.beams
    assert recorded.scores == known.scores


@pytest.mark.slow
@pytest.mark.every
def test_the_large_network_finds_the_published_beams(shared: Path) -> None:
    case = published("transformer_infer_large_t16", shared / "oracle")
    net = network(case)
    found = zoohub.predict(net, case.sentences(), mode="graph", batch_size=2)
    assert [one.predictions[0].tokens for one in found] == case.tokens()


@pytest.mark.slow
def test_tokens_are_predicted_however_sentences_are_given() -> None:
    case = read_cases()["transformer_infer_small_b"]
    net = network(case)
    for sentences, batch in (
        (case.sentences(), 1),
        (case.sentences(padded=True), 2),
        (np.array(case.sentences(True)), 2),
    ):
        found = zoohub.predict(net, sentences, mode="pynative", batch_size=batch)
        assert [one.predictions[0].tokens for one in found] == case.tokens()
        assert all(one.predictions[0].text is None for one in found)
    best = [max(scores) for scores in case.scores]
    assert [one.predictions[0].score for one in found] == pytest.approx(best, abs=1e-4)


@pytest.mark.slow
def test_a_graph_is_compiled_once_for_every_length_and_batch() -> None:
    case = read_cases()["transformer_infer_small_c_beam2"]
    net = network(case)
    predictor = predictor_of(net, "graph")
    random = np.random.default_rng(0)
    compiled = []
    for length in range(1, 21):
        source = random.integers(3, 200, (1 + length % 3, length)).astype(np.int32)
        batch = {"source_ids": source, "source_mask": np.ones_like(source)}
        found = predictor.task.infer(predictor.parts, batch, predictor.input)
        assert found["ids"].shape == (len(source), 2, 17)
        compiled.append([len(runner.net.compile_cache) for runner in predictor.parts.values()])  # type: ignore[attr-defined]
    assert compiled == [[1, 1]] * 20  # at the first length, and never after


@pytest.mark.slow
def test_the_training_graph_is_compiled_once_too() -> None:
    import mindspore
    from mindspore import Tensor

    case = read_cases()["transformer_infer_small_c_beam2"]
    net = network(case)
    before = mindspore.get_context("mode")
    whole: dict[str, list[np.ndarray]] = {}
    try:
        for mode in ("graph", "pynative"):
            modes = {"graph": mindspore.GRAPH_MODE, "pynative": mindspore.PYNATIVE_MODE}
            mindspore.set_context(mode=modes[mode])
            random = np.random.default_rng(0)
            whole[mode] = []
            for batch, source, target in ((2, 5, 7), (1, 9, 3), (3, 1, 1), (2, 20, 30)):
                arrays = [
                    random.integers(3, 200, (batch, length)).astype(np.int32)
                    for length in (source, target)
                ]
                pairs = [(array, np.ones_like(array)) for array in arrays]
                found = net(*(Tensor(array) for pair in pairs for array in pair))
                whole[mode].append(found.asnumpy())
                assert found.shape == (batch * target, 200)
            if mode == "graph":
                assert len(net.compile_cache) == 1
    finally:
        mindspore.set_context(mode=before)
    for one, other in zip(whole["graph"], whole["pynative"], strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.slow
def test_files_of_the_training_graph_and_of_the_translator_are_loaded(tmp_path: Path) -> None:
    import mindspore
    from mindspore import Tensor

    case = read_cases()["transformer_infer_small_a"]
    net = network(case)
    own = {p.name: p.asnumpy() for p in net.get_parameters()}

    def translators(name: str) -> str:
        moved = name.startswith(("tfm_decoder", "tfm_embedding"))
        return f"tfm_decoder.decoder.{name}" if moved else name

    for number, rename in enumerate((str, "transformer.{}".format, translators)):
        file = tmp_path / f"{number}.ckpt"
        rows = [{"name": rename(name), "data": Tensor(value)} for name, value in own.items()]
        mindspore.save_checkpoint(rows, str(file))
        loaded = zoohub.load("transformer_large", checkpoint=file, **case.builder)
        for parameter in loaded.get_parameters():
            np.testing.assert_array_equal(parameter.asnumpy(), own[parameter.name])
