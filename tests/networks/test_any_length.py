"""A network of texts as a file that takes texts of any length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zoohub

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"vocab_size": 30, "embed_dim": 8, "depth": 1, "num_heads": 2}
NETWORKS: dict[str, dict[str, Any]] = {
    "gpt2@mindnlp": {"longest": 16},
    "bloom_560m": {"longest": 16},
    "llama_7b": {"ffn_dim": 12, "kv_heads": 1, "longest": 16},
    "t5_small": {"head_dim": 4, "ffn_dim": 12, "longest": 16},
    "mass": {"ffn_dim": 12, "longest": 16},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_checked_at_two_lengths(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    net = zoohub.load(name, **SMALL, **NETWORKS[name])
    open_axes = {"batch", "length"}
    file = zoohub.export(net, tmp_path / "a.onnx", length=6, dynamic=open_axes, check=True)
    assert file.is_file()
