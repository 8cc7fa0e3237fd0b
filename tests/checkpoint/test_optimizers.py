"""What training really leaves behind: every optimiser that this MindSpore has, and its loops."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from mindspore.experimental import optim
from mindspore.nn.optim.optimizer import Optimizer
from mindspore.train import CheckpointConfig, Model, ModelCheckpoint
from stand_in.tiny.network import TinyNet

from zoohub.checkpoint.planning import LoadReport
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks import loading
from zoohub.networks.options import NetworkOptions

pytestmark = pytest.mark.usefixtures("tiny_family")

SPEC = NetworkSpec("tiny", {"num_classes": 5})
INPUT = np.random.default_rng(0).standard_normal((4, 3, 8, 8)).astype(np.float32)
MORE: dict[str, dict[str, Any]] = {
    "Momentum": {"momentum": 0.9},
    "AdaFactor": {"scale_parameter": False, "relative_step": False, "warmup_init": False},
}
WRAPPERS = {"LARS", "Optimizer", "OptTFTWrapper", "AdaSumByGradWrapCell", "DistributedGradReducer"}
NAMES = [
    name
    for name, found in vars(nn).items()
    if inspect.isclass(found) and issubclass(found, Optimizer) and name not in WRAPPERS
]
EXPERIMENTAL = [name for name in dir(optim) if name[0].isupper() and name != "Optimizer"]


def loaded(path: Path, net: nn.Cell) -> LoadReport:
    """The file loaded strictly; the network has the values that training left."""
    found, report = loading.create_network(SPEC, path)
    assert report is not None
    assert report.complete
    expected = [p.asnumpy() for p in net.get_parameters()]
    assert all(
        np.array_equal(p.asnumpy(), e)
        for p, e in zip(found.get_parameters(), expected, strict=True)
    )
    return report


def optimizer(name: str, parameters: Any, rate: Any) -> Any:
    if name == "LARS":
        return nn.LARS(nn.Momentum(parameters, rate, 0.9))
    return getattr(nn, name)(parameters, learning_rate=rate, **MORE.get(name, {}))


RATES = (0.01, [0.3, 0.2, 0.1], "groups")


@pytest.mark.parametrize(
    ("name", "rate"),
    # FTRL takes one learning rate for all.
    [(name, rate) for name in (*NAMES, "LARS") for rate in RATES if name != "FTRL" or rate == 0.01],
)
def test_every_optimisers_state_is_left_out_and_counted(
    tmp_path: Path, name: str, rate: Any
) -> None:
    net = TinyNet()
    parameters: Any = net.trainable_params()
    if rate == "groups":
        parameters, rate = [{"params": parameters[:2], "lr": 0.1}, {"params": parameters[2:]}], 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = optimizer(name, parameters, rate)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.CrossEntropyLoss()), made)
    ms.save_checkpoint(step, str(tmp_path / "a.ckpt"))
    report = loaded(tmp_path / "a.ckpt", net)
    assert set(report.training_state) == set(report.left_out)
    assert "global_step" in report.training_state


@pytest.mark.parametrize("name", EXPERIMENTAL)
def test_the_experimental_optimisers_too(tmp_path: Path, name: str) -> None:
    net = TinyNet()
    made = getattr(optim, name)(net.trainable_params(), lr=0.01)
    step = nn.TrainOneStepCell(
        nn.WithLossCell(net, nn.CrossEntropyLoss()), nn.SGD(net.get_parameters())
    )
    step.also = made
    ms.save_checkpoint(step, str(tmp_path / "a.ckpt"))
    loaded(tmp_path / "a.ckpt", net)


@pytest.mark.parametrize("scale", [None, "fixed"])
def test_what_model_train_and_its_callback_write_is_loaded(tmp_path: Path, scale: Any) -> None:
    net = TinyNet()
    made = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    manager = {
        None: None,
        "fixed": ms.FixedLossScaleManager(drop_overflow_update=False),
    }[scale]
    data = ms.dataset.NumpySlicesDataset((INPUT, np.zeros(4, np.int32)), ["a", "b"]).batch(2)
    config = CheckpointConfig(1, append_info=["epoch_num", "step_num", {"best": 0.5, "lr": 0.1}])
    more = {} if manager is None else {"loss_scale_manager": manager}
    Model(net, nn.CrossEntropyLoss(), made, **more).train(
        1, data, [ModelCheckpoint("m", str(tmp_path), config)], dataset_sink_mode=False
    )
    file = max(tmp_path.glob("m*.ckpt"), key=lambda path: path.stat().st_mtime_ns)
    report = loaded(file, net)
    assert {"epoch_num", "step_num", "best", "moments.conv.weight"} <= set(report.training_state)


class TrainStep(nn.Cell):
    """As mindcv's and mindyolo's: an average of the weights, gradients that add up, a counter."""

    def __init__(self, net: nn.Cell, *, prefixed: bool) -> None:
        super().__init__(auto_prefix=prefixed)
        made = nn.Adam(net.trainable_params())
        self.ema_weight = ms.ParameterTuple(net.get_parameters()).clone("ema", init="same")
        self.accumulated = made.parameters.clone("grad_accumulated", init="zeros")
        self.updates = ms.Parameter(ms.Tensor(7.0, ms.float32), name="updates")
        self.network, self.optimizer = net, made


@pytest.mark.parametrize("prefixed", [False])
def test_train_steps_with_an_average_are_loaded_and_the_average_on_request(
    tmp_path: Path, prefixed: bool
) -> None:
    net = TinyNet()
    step = TrainStep(net, prefixed=prefixed)
    for parameter in step.ema_weight:
        parameter.set_data(ms.Tensor(parameter.asnumpy() + 1))
    ms.save_checkpoint(step, str(tmp_path / "a.ckpt"), append_dict={"epoch": 3, "note": "text"})
    report = loaded(tmp_path / "a.ckpt", net)
    assert {"updates", "epoch"} <= set(report.training_state)
    averaged, _ = loading.create_network(SPEC, tmp_path / "a.ckpt", NetworkOptions(ema=True))
    expected = net.conv.weight.asnumpy() + 1
    np.testing.assert_array_equal(averaged.conv.weight.asnumpy(), expected)
