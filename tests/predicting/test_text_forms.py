"""A compiled form of a network of texts goes by what its weights know, not by the index alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoohub.core import notes
from zoohub.graphs.metadata import Metadata
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec, TextContract
from zoohub.models.subjects import find_subject
from zoohub.outputs import ClassScores
from zoohub.predicting.compiled import find_form
from zoohub.predicting.opening import _of_form, open_predictor
from zoohub.predicting.predicting import predict_inputs
from zoohub.settings import Settings
from zoohub.tasks.texts import lengthened


class Constant:
    """Says of every text that it is of the second class."""

    inputs = ("input_ids", "token_type_ids", "attention_mask")

    def run(self, arrays: Any) -> dict[str, np.ndarray]:
        return {"logits": np.float32([[0, 1]] * len(arrays["input_ids"]))}


def test_a_token_that_the_weights_lack_is_refused() -> None:
    contract = InputContract(text=TextContract(max_length=12, vocab_size=15))
    said = Metadata(
        model="m", task="text-classification", family="bert", input=contract, outputs=("logits",)
    )
    subject = SimpleNamespace(
        network=NetworkSpec("bert", {"head": "classification"}),
        input=InputContract(text=TextContract(max_length=512)),
        classes=("good", "bad"),
        task="text-classification",
    )
    record = SimpleNamespace(said=said.to_strings())
    form: Any = SimpleNamespace(record=record, subject=subject, open=lambda inputs: Constant())
    predictor = _of_form(form, dict)
    assert predictor is not None
    assert predictor.input == contract
    one, unknown = predict_inputs(predictor, [[2, 5, 3], [2, 15]], {})
    assert one.predictions[0].label == "bad"
    assert unknown.error == "input 1: token 15 is none of the network's 15"


def test_a_form_does_not_outlive_what_the_index_says_of_its_texts(tmp_path: Path) -> None:
    def key(contract: InputContract) -> str:
        subject: Any = SimpleNamespace(
            network=NetworkSpec("bert", {}),
            input=contract,
            own=None,
            weights_hash=lambda settings, show_progress: "0" * 64,
        )
        return find_form(subject, Settings(home=tmp_path), show_progress=False).key

    text = TextContract(max_length=512, vocab_size=15)
    before = key(InputContract(text=text))
    assert key(InputContract(text=text)) == before
    assert key(InputContract(text=replace(text, pad_id=1))) != before
    assert key(InputContract(text=replace(text, max_length=128))) != before


@pytest.mark.parametrize(
    ("name", "compiled"),
    [("textcnn@languages", True), ("textcnn@r1.3-mr", False), ("transformer@en-es", True)],
)
def test_a_network_is_compiled_where_what_it_takes_is_known(
    name: str, compiled: bool, tmp_path: Path
) -> None:
    assert (find_subject(name, Settings(home=tmp_path)) is not None) == compiled


def written(path: Path, length: int, contract: TextContract, *inputs: str) -> Path:
    """An ONNX file of texts of one length, which gives back the numbers of its first input."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    def shaped(name: str, kind: int) -> Any:
        return helper.make_tensor_value_info(name, kind, [1, length])

    nodes = [helper.make_node("Cast", [inputs[0]], ["logits"], to=TensorProto.FLOAT)]
    taken = [shaped(name, TensorProto.INT32) for name in inputs]
    graph = helper.make_graph(nodes, "g", taken, [shaped("logits", TensorProto.FLOAT)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    said = Metadata(
        model="m",
        task="text-classification",
        input=InputContract(text=contract),
        outputs=("logits",),
    )
    helper.set_model_props(model, said.to_strings())
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("inputs", [("ids",), ("input_ids", "token_type_ids", "attention_mask")])
@pytest.mark.parametrize("longest", [None, 4, 32])
def test_texts_are_filled_up_and_cut_to_the_length_of_the_file(
    inputs: tuple[str, ...], longest: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    file = written(tmp_path / "a.onnx", 10, TextContract(max_length=longest, pad_id=1), *inputs)
    predictor = open_predictor(file, Settings(home=tmp_path))
    prepare = predictor.prepare(predictor.task.options())
    texts = [Sentence("short", ids=(5, 6, 7)), Sentence("long", ids=tuple(range(2, 22)))]
    form = predictor.infer([row for text in texts for row in prepare(text)])
    assert isinstance(form, ClassScores)
    assert form.logits.tolist() == [[5, 6, 7, *[1] * 7], [*range(2, 11), 21]]
    assert said[-1].startswith("long: 20 tokens, the network takes 10: the first 9 and the last")
    unknown = longest is None and len(inputs) == 1
    assert [text for text in said if "what fills" in text] == (
        ["a.onnx takes texts of 10 tokens: what fills shorter ones up counts too"] * unknown
    )


def test_what_else_an_encoder_takes_is_filled_up_too() -> None:
    batch = {
        "input_ids": np.int32([[5, 6]]),
        "attention_mask": np.int32([[1, 1]]),
        "position_ids": np.int32([[0, 1]]),
    }
    found = lengthened(batch, 4, TextContract(pad_id=3))
    assert {name: array.tolist() for name, array in found.items()} == {
        "input_ids": [[5, 6, 3, 3]],
        "attention_mask": [[1, 1, 0, 0]],
        "position_ids": [[0, 1, 2, 3]],
    }
