"""Networks of every kind write, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError
from zoohub.inputs.text import padded
from zoohub.predicting import open_predictor
from zoohub.settings import load_settings
from zoohub.tasks.generation.memory import RememberingReader
from zoohub.tasks.generation.options import GenerationOptions
from zoohub.tasks.generation.rows import Prompt
from zoohub.tasks.generation.writing import write

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"vocab_size": 30, "embed_dim": 8, "depth": 1, "num_heads": 2}
NETWORKS: dict[str, dict[str, Any]] = {
    "gpt2@mindnlp": {},
    "gpt2@mindformers": {},
    "opt_350m": {"word_dim": 4, "ffn_dim": 12},
    "bloom_560m": {},
    "llama_7b": {"ffn_dim": 12},
    "pangu_350m": {},
    "pangualpha_2_6b": {},
    "glm2_6b": {"kv_heads": 1, "head_dim": 8, "ffn_dim": 12},
}
PROMPTS = [[3], [5, 6, 7], [9] * 6]
# Of this one a file says how large it is, but for the heads.
SIZED = "gpt2@mindformers"


def network(name: str, **arguments: Any) -> Any:
    """One whose scores differ enough to make answers of several tokens."""
    import mindspore

    mindspore.set_seed(1)
    net = zoohub.load(name, **{**SMALL, "longest": 16, **NETWORKS[name], **arguments})
    random = np.random.default_rng(1)
    for parameter in net.get_parameters():
        if parameter.dtype == mindspore.float32 and parameter.ndim == 2:
            values = random.standard_normal(parameter.shape).astype(np.float32)
            parameter.set_data(mindspore.Tensor(values))
    return net


@pytest.mark.parametrize("name", NETWORKS)
def test_greedy_is_the_likeliest_token_step_by_step(name: str) -> None:
    from mindspore import Tensor

    net = network(name)
    found = zoohub.predict(net, PROMPTS, max_new_tokens=6, batch_size=3, mode="pynative")
    for prompt, one in zip(PROMPTS, found, strict=True):
        ids = list(prompt)
        wanted: list[int] = []
        while len(wanted) < 6:
            logits = net(Tensor(np.array([ids], np.int32))).asnumpy()[0, -1]
            token = int(logits.argmax())
            if token == net.zoohub.input.text.end_id:
                break
            ids.append(token)
            wanted.append(token)
        assert list(one.predictions[0].tokens) == wanted
        assert one.predictions[0].text is None


class Rereading:
    """A `Reader` that keeps nothing: the network reads the whole text again for each token."""

    def __init__(self, runner: Any) -> None:
        self.runner = runner

    def begin(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        self.texts = [list(row[:length]) for row, length in zip(ids, lengths, strict=True)]
        found: np.ndarray = self.runner.run({"ids": ids, "lengths": lengths})["logits"]
        return found

    def go_on(self, kept: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        texts = [[*self.texts[row], token] for row, token in zip(kept, tokens, strict=True)]
        lengths = np.array([len(text) for text in texts], np.int32)
        return self.begin(padded([np.array(text, np.int32) for text in texts], 0), lengths)


@pytest.mark.parametrize("name", ["gpt2@mindnlp", "bloom_560m"])
def test_what_is_drawn_is_what_reading_all_again_would_draw(name: str) -> None:
    net = network(name, longest=80)
    predictor = open_predictor(net, load_settings(), mode="pynative")
    read, following = predictor.parts["read"], predictor.parts["next"]
    options = GenerationOptions(temperature=1.2, seed=3, max_new_tokens=8)
    asked = [
        Prompt("p", tuple(ids), 80 - len(ids), 2, options) for ids in ([3], [5, 6, 7], [9] * 60)
    ]
    found = write(RememberingReader(read, following), asked)
    assert found == write(Rereading(read), asked)
    assert max(len(tokens) for tokens in found) > 4


@pytest.mark.parametrize("name", ["gpt2@mindnlp", "llama_7b"])
def test_a_graph_is_compiled_once_for_every_length_and_batch(name: str) -> None:
    net = network(name)
    predictor = open_predictor(net, load_settings(), mode="graph")
    compiled = []
    for length in range(1, 13):
        batch = [[1 + length] * length] * (1 + length % 3)
        rows = [row for ids in batch for row in prepared(predictor, ids)]
        predictor.infer(rows)
        parts = (predictor.parts[name] for name in ("read", "next"))
        compiled.append([len(part.net.compile_cache) for part in parts])  # type: ignore[attr-defined]
    assert compiled == [[1, 1]] * 12


def prepared(predictor: Any, ids: list[int]) -> Any:
    from zoohub.inputs.text import Sentence

    return predictor.task.prepare(predictor.input)(Sentence("a", ids=tuple(ids)))


def test_graphs_write_the_same() -> None:
    net = network("gpt2@mindnlp")
    drawn: dict[str, Any] = {"temperature": 1.0, "seed": 4, "max_new_tokens": 6}
    slow = zoohub.predict(net, PROMPTS, mode="pynative", **drawn)
    graph = zoohub.predict(net, PROMPTS, mode="graph", **drawn)
    tokens = [[one.predictions[0].tokens for one in found] for found in (slow, graph)]
    assert tokens[0] == tokens[1]
    assert len(set(tokens[0])) == 3


def predict_own(folder: Path, *arguments: str) -> list[str]:
    import mindspore

    weights = str(folder / "own.ckpt")
    mindspore.save_checkpoint(network(SIZED, embed_dim=12, num_heads=12), weights)
    return ["predict", SIZED, *arguments, "--checkpoint", weights]


def test_it_is_told_token_by_token_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(PROMPTS[0]) + "\n" + json.dumps([4] * 16) + "\n")
    asked = predict_own(tmp_path, str(tmp_path / "a.jsonl"), "--max-new-tokens", "5")
    assert main([*asked, "--json"]) == 3
    said = capsys.readouterr()
    assert "16 tokens leave no room for another" in said.err
    first, second = json.loads(said.out)
    tokens = first["predictions"][0]["tokens"]
    assert len(tokens) == 5
    assert "error" in second
    for batch in ("1", "2"):  # pieces, or lines
        assert main([*asked, "--batch-size", batch]) == 3
        shown = capsys.readouterr().out
        assert shown == f"{tmp_path / 'a.jsonl'}:1\n  {' '.join(map(str, tokens))}\n"


def test_text_goes_on_with_a_vocabulary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {f"w{number}": number for number in range(30)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w0"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(tmp_path / "tokenizer.json"))
    vocab: dict[str, Any] = {"vocab": tmp_path / "tokenizer.json", "max_new_tokens": 5}
    net = network(SIZED, embed_dim=12, num_heads=12)
    (by_ids,) = zoohub.predict(net, [[5, 6, 7]], **vocab)
    (by_text,) = zoohub.predict(net, "w5 w6 w7", **vocab)
    (result,) = by_text.predictions
    assert result == by_ids.predictions[0]
    assert result.text == "".join(f" w{token}" for token in result.tokens)
    second = f"w{result.tokens[1]}"
    (stopped,) = zoohub.predict(net, "w5 w6 w7", stop=[second], **vocab)
    assert stopped.predictions[0].text == result.text[: result.text.index(second)]
    asked = predict_own(tmp_path, "--text", "w5 w6 w7", "--max-new-tokens", "5")
    assert main([*asked, "--vocab", str(vocab["vocab"])]) == 0
    assert capsys.readouterr().out == f"w5 w6 w7\n  {result.text}\n"
    assert main(asked) == 1
    assert "token ids always work" in capsys.readouterr().err


def test_an_exported_file_is_of_the_whole_network_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    file = zoohub.export(network("gpt2@mindnlp"), tmp_path / "a.onnx", length=5, check=True)
    with pytest.raises(DataError, match="scores sequences of one length"):
        zoohub.predict(file, [[3]])
