"""A compiled form of a network of texts goes by what its weights know, not by the index alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from zoohub.graphs.metadata import Metadata
from zoohub.manifest.entry import InputContract, NetworkSpec, TextContract
from zoohub.predicting.compiled import find_form
from zoohub.predicting.predicting import predict_inputs
from zoohub.predicting.predictor import _of_form
from zoohub.settings import Settings


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
    form: Any = SimpleNamespace(record=SimpleNamespace(said=said.to_strings()), subject=subject)
    predictor = _of_form(form, Constant())
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
