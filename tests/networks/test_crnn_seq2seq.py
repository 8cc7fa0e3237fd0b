"""CRNN-seq2seq's files of other releases and devices."""

from __future__ import annotations

from pathlib import Path

import mindspore
import numpy as np
import pytest
from mindspore import Tensor
from numpy.typing import NDArray

from zoohub.checkpoint import open_checkpoint, write_ckpt
from zoohub.errors import UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.loading import build, create_network

HIDDEN, STEPS = 8, 4
SIZES = {"num_classes": 12, "hidden": HIDDEN, "steps": STEPS}
SPEC = NetworkSpec("crnn_seq2seq_ocr", SIZES, "models")


def one_piece(weights: dict[str, NDArray[np.float32]], layer: str) -> NDArray[np.float32]:
    """An LSTM's weights of Ascend as one, as `mindspore.ops.LSTM` takes them on a CPU."""

    def rows(name: str) -> NDArray[np.float32]:
        gates = weights[f"{layer}.{name}"].T.reshape(4, HIDDEN, -1)
        return gates[[0, 2, 1, 3]].reshape(4 * HIDDEN, -1)  # input, forget, candidate, output

    matrices = [rows("weight_fw0"), rows("weight_bw0")]
    channels = matrices[0].shape[1] - HIDDEN
    parts = [matrix[:, :channels] for matrix in matrices]
    parts += [matrix[:, channels:] for matrix in matrices]
    parts += [rows("bias_fw0"), rows("bias_bw0"), np.ones((8 * HIDDEN, 1), np.float32)]
    return np.concatenate([part.reshape(-1) for part in parts]).reshape(-1, 1, 1)


def test_a_file_loads_whichever_release_and_device_it_is_of(tmp_path: Path) -> None:
    mindspore.set_seed(0)
    net, _ = create_network(SPEC, None, ascend_layers=1)
    image = np.random.default_rng(0).standard_normal((2, 3, 128, 8 * STEPS)).astype(np.float32)
    wanted = net(Tensor(image)).asnumpy()
    newer = {p.name: p.asnumpy() for p in net.get_parameters()}
    older = {
        name.removesuffix("h_l0") if ".gru." in name else name: (
            value.T.copy() if ".gru.weight" in name else value
        )
        for name, value in newer.items()
    }
    assert older["decoder.decoder.gru.weight_i"].shape == (HIDDEN, 3 * HIDDEN)
    joined = {name: value for name, value in newer.items() if ".rnn." not in name}
    for layer in ("encoder.lstm1.rnn", "encoder.lstm2.rnn"):
        joined[f"{layer}.weight"] = one_piece(newer, layer)
    for name, content in (("newer", newer), ("older", older), ("joined", joined)):
        file = tmp_path / f"{name}.ckpt"
        write_ckpt(file, content)
        loaded, report = create_network(SPEC, open_checkpoint(file))
        assert report is not None
        assert report.complete
        np.testing.assert_allclose(loaded(Tensor(image)).asnumpy(), wanted, atol=1e-6)


@pytest.mark.parametrize(("argument", "value"), [("hidden", 0), ("steps", 3), ("ascend_layers", 2)])
def test_an_argument_that_no_network_can_have_is_named(argument: str, value: int) -> None:
    with pytest.raises(UsageError, match=rf"{argument} is .*, not {value}"):
        build(SPEC, **{argument: value})
