"""Small networks with weights by rule, and a network to tell what an export must not change."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def fill(net: Any) -> Any:
    """Weights that follow from the parameters' names; batch norms far from the identity."""
    from mindspore import Tensor

    for parameter in net.get_parameters():
        if not parameter.requires_grad and "moving" not in parameter.name:
            continue  # anchors and strides
        rng = np.random.default_rng(zlib.crc32(parameter.name.encode()))
        if parameter.name.endswith(("gamma", "moving_variance")):
            value = rng.uniform(0.5, 1.5, parameter.shape)
        elif parameter.name.endswith(("beta", "bias", "moving_mean")):
            value = 0.1 * rng.standard_normal(parameter.shape)
        else:
            fan_in = np.prod(parameter.shape[1:]) or 1
            value = rng.standard_normal(parameter.shape) / np.sqrt(fan_in)
        parameter.set_data(Tensor(value.astype(np.float32)))
    net.set_train(False)
    return net


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all these tests: the index is compiled into it once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def load(home: Path) -> Callable[..., Any]:
    """`zoohub.load` with weights by rule instead of a checkpoint."""

    def loaded(name: str, **arguments: Any) -> Any:
        import zoohub

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZOOHUB_HOME", str(home))
            net = zoohub.load(name, **arguments)
        return net if arguments.get("checkpoint") else fill(net)

    return loaded


@pytest.fixture(scope="session")
def digits(home: Path) -> Any:
    """The network whose checkpoint ships with zoohub."""
    import zoohub

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOOHUB_HOME", str(home))
        return zoohub.load("lenet5@digits", pretrained=True, offline=True)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder to export into."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def onnxruntime() -> Any:
    pytest.importorskip("onnx")
    return pytest.importorskip("onnxruntime")
