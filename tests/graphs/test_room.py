"""Networks that a file has no room for."""

from __future__ import annotations

from pathlib import Path

import pytest
from mindspore import nn

import zoohub
from zoohub.errors import ExportError
from zoohub.graphs import writing


@pytest.mark.parametrize("name", ["net.onnx", "net.mindir"])
def test_a_network_too_large_for_a_file_may_have_room_in_float16(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = nn.SequentialCell(nn.Flatten(), nn.Dense(3 * 16 * 16, 16))  # 49 kB
    monkeypatch.setattr(writing, "_ROOM", 30_000)
    with pytest.raises(ExportError, match=r"take 0\.0 GB, .* choose dtype=float16 \(--dtype\), or"):
        zoohub.export(net, tmp_path / name, size=(16, 16))
    assert zoohub.export(net, tmp_path / name, size=(16, 16), dtype="float16", check=True).exists()
    monkeypatch.setattr(writing, "_ROOM", 20_000)
    for dtype in (None, "float16"):
        with pytest.raises(ExportError, match=r"at most 2 GiB; choose the format safetensors"):
            zoohub.export(net, tmp_path / "no.onnx", size=(16, 16), dtype=dtype)
    assert not (tmp_path / "no.onnx").exists()
