"""T5 reads a text and writes another, each token of both read once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.errors import DataError, RecipeError, UsageError
from zoohub.inputs.text import Sentence
from zoohub.predicting import open_predictor
from zoohub.settings import load_settings
from zoohub.tasks.generation.rows import prompts_of
from zoohub.tasks.generation.task import TASK
from zoohub.tasks.generation.writing import write

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {
    "vocab_size": 30, "d_model": 16, "d_kv": 8, "d_ff": 12, "num_layers": 1, "num_heads": 2,
    "longest": 40,
}  # fmt: skip
TEXTS = [[3, 4, 5, 6, 7, 8], [9], [11, 12, 1]]


def network(**arguments: Any) -> Any:
    from mindspore import Tensor

    net = zoohub.load("t5_small", **SMALL, **arguments)
    random = np.random.default_rng(5)  # with which answers differ
    for parameter in net.get_parameters():
        if parameter.ndim == 2:
            parameter.set_data(Tensor(random.standard_normal(parameter.shape).astype(np.float32)))
    return net


class Rereading:
    """A `Reader` that keeps nothing: the whole network is asked for each token."""

    def __init__(self, net: Any) -> None:
        self.net = net

    def begin(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        self.read = ids, np.int32(np.arange(ids.shape[1]) < lengths[:, None])
        self.written = np.zeros((len(ids), 1), np.int32)
        return self.logits()

    def go_on(self, kept: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        self.read = self.read[0][kept], self.read[1][kept]
        self.written = np.concatenate([self.written[kept], tokens[:, None]], 1)
        return self.logits()

    def logits(self) -> np.ndarray:
        from mindspore import Tensor

        ids, mask = self.read
        found: np.ndarray = self.net(Tensor(ids), Tensor(self.written), Tensor(mask)).asnumpy()
        return found[:, -1]


@pytest.mark.parametrize("mode", ["pynative", "graph"])
def test_answers_are_those_of_reading_all_again(mode: str) -> None:
    net = network()
    predictor = open_predictor(net, load_settings(), mode="pynative")
    drawn: dict[str, Any]
    for drawn in ({}, {"temperature": 1.5, "seed": 1}):
        prepare = TASK.prepare(predictor.input, TASK.options(max_new_tokens=6, **drawn))
        rows = [row for ids in TEXTS for row in prepare(Sentence("a", ids=tuple(ids)))]
        wanted = write(Rereading(net), prompts_of(rows))
        found = zoohub.predict(net, TEXTS, max_new_tokens=6, batch_size=3, mode=mode, **drawn)
        assert [list(one.predictions[0].tokens) for one in found] == wanted
        assert len(set(map(tuple, wanted))) > 1
        assert max(map(len, wanted)) > 4


def test_graphs_are_compiled_once_for_every_length() -> None:
    predictor = open_predictor(network(), load_settings(), mode="graph")
    prepare = TASK.prepare(predictor.input, TASK.options(max_new_tokens=3))
    compiled = []
    for length in range(1, 6):
        rows = prepare(Sentence("a", ids=(5,) * length)) * (1 + length % 2)
        predictor.infer(list(rows))
        parts = (predictor.parts[name] for name in ("encode", "next"))
        compiled.append([len(part.net.compile_cache) for part in parts])  # type: ignore[attr-defined]
    assert compiled == [[1, 1]] * 5


def test_what_does_not_fit_is_refused() -> None:
    prepare = TASK.prepare(network().zoohub.input)
    with pytest.raises(DataError, match=r"41 tokens with its end, the network takes at most 40"):
        prepare(Sentence("a", ids=(5,) * 40))
    with pytest.raises(DataError, match=r"token 30 is none of the network's 30"):
        prepare(Sentence("a", ids=(30,)))
    with pytest.raises(UsageError, match=r"d_model=16 and hidden_size=8"):
        zoohub.load("t5_small", **SMALL, hidden_size=8)


def test_it_is_not_trained(tmp_path: Any) -> None:
    (tmp_path / "t.txt").write_text("a text\n")
    with pytest.raises((RecipeError, DataError), match=r"does not train|vocabulary"):
        zoohub.finetune("t5_small", data=tmp_path / "t.txt", epochs=1)
