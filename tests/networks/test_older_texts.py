"""The older networks of texts as files: each is exported, reduced, and run by onnxruntime too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zoohub

pytestmark = [pytest.mark.slow, pytest.mark.every]

_ENCODER = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
}
_MARKS = {"mask_id": 28, "start_id": 29}
SMALL: dict[str, dict[str, Any]] = {
    "chatglm_6b": {"embed_dim": 16, "depth": 2, "num_heads": 2, "ffn_dim": 12, **_MARKS},
    "dam": {"embed_dim": 8, "depth": 1, "turns": 3, "words": 6},
    "duconv": _ENCODER,
    "gru": {"source_vocab": 30, "target_vocab": 20, "embed_dim": 8, "hidden": 6},
    "lstm@r1.7-aclimdbv1": {"embed_dim": 8, "hidden": 6},
    "lstm_crf": {"embed_dim": 8, "hidden": 6, "num_labels": 7},
    "senta": _ENCODER,
    "skipgram": {"embed_dim": 8},
}


@pytest.mark.parametrize("name", SMALL)
def test_an_older_network_of_texts_computes_the_same_as_a_file(name: str, tmp_path: Path) -> None:
    words = {} if name == "gru" else {"vocab_size": 30}
    net = zoohub.load(name, **words, **SMALL[name])
    length = None if name == "dam" else 8
    file = zoohub.export(net, tmp_path / "net.onnx", length=length, check=True)
    assert Path(file).is_file()
