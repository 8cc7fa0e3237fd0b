"""Tensors that a file has in one piece and the network in three, or the other way round."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from safetensors.numpy import save_file

from zoohub.checkpoint import Weights, open_checkpoint, write_pth
from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.splitting import split
from zoohub.checkpoint.weights import Contents
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.loading import LoadOptions, load_into

FUSED = "layers.0.blocks.0.attn.qkv.weight"


class Projections(nn.Cell):
    """The queries, keys and values of a Swin transformer's first block."""

    def __init__(self) -> None:
        super().__init__()
        for part in "qkv":
            name = f"0.blocks.0.attn.{part}.weight"
            setattr(self, part, ms.Parameter(ms.Tensor(np.zeros((2, 2), np.float32)), name=name))


@pytest.mark.parametrize("ema", [False, True])
def test_what_is_fused_is_cut_in_the_weights_and_in_their_average(
    tmp_path: Path, ema: bool
) -> None:
    path = tmp_path / "theirs.pth"
    sets = {"weights": np.arange(12.0, dtype=np.float32).reshape(6, 2)}
    sets["average"] = sets["weights"] + 100
    write_pth(path, sets)
    opened = open_checkpoint(path)
    found = opened.tensors()
    contents = Contents("pth", {FUSED: found["weights"]}, averaged={FUSED: found["average"]})
    net = Projections()
    report = load_into(
        net,
        Weights(opened._source, contents),
        NetworkSpec("swin_transformer"),
        LoadOptions(ema=ema),
    )
    assert report.complete
    parts = [parameter.asnumpy() for parameter in net.get_parameters()]
    assert np.array_equal(np.concatenate(parts), sets["average" if ema else "weights"])


def test_a_matrix_that_lies_the_other_way_round_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "older.safetensors"
    matrix, vector = np.arange(6.0, dtype=np.float32).reshape(2, 3), np.arange(6.0, dtype="f")
    save_file({"gru.weight_i": matrix, "gru.bias_i": vector}, path)
    layout = Layout(transposed=(r"gru\..+_i",))
    weights = split(open_checkpoint(path), [layout])
    assert weights.info("gru.weight_i").shape == (3, 2)
    assert np.array_equal(weights["gru.weight_i"], matrix.T)
    assert not weights.owned("gru.weight_i")
    assert np.array_equal(weights["gru.bias_i"], vector)
    twice = split(weights, [layout])  # what is strided already stays as it is
    assert np.array_equal(twice["gru.weight_i"], matrix.T)
    assert split(twice, [Layout(transposed=("dense",))]) is twice
