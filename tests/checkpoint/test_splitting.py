"""Tensors that a file has in one piece and the network in three."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from zoohub.checkpoint import Weights, open_checkpoint, write_pth
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
