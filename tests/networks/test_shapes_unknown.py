"""Networks compiled or exported once for pictures of any number and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn
from weights_rule import fill_by_rule, flatten

from zoohub.networks.families import find_family

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Network:
    """One small network of a family; `shape` makes an input's shape of batch, height, width."""

    name: str
    arguments: dict[str, Any]
    shape: Callable[[Any, Any, Any], tuple[Any, ...]]
    any_size: bool = True
    onnx_any_size: bool = True

    def build(self) -> nn.Cell:
        net = find_family(self.name).load()(**self.arguments)
        fill_by_rule(net)
        return net.set_train(False)

    def input(self, batch: int, height: int, width: int) -> np.ndarray:
        size = (height, width) if self.any_size else (32, 32)
        x = np.random.default_rng(batch).standard_normal(self.shape(batch, *size))
        return x.astype(np.float32)


def _picture(batch: Any, height: Any, width: Any) -> tuple[Any, ...]:
    return (batch, 3, height, width)


NETWORKS = [
    Network("lenet", {}, lambda b, h, w: (b, 1, 32, 32), any_size=False),
    Network("resnet", {"depth": 18}, _picture),
    Network(
        "resnet",
        {
            "depth": 18,
            "conv_padding": "same",
            "pool_padding": "symmetric",
            "features_only": True,
            "out_indices": (1, 4),
        },
        _picture,
    ),
    Network("mobilenet_v2", {"width": 0.35}, _picture),
    Network("yolov5", {"size": "n"}, _picture, onnx_any_size=False),
    Network("yolov5_focus", {"size": "s"}, lambda b, h, w: (b, h, w, 3), onnx_any_size=False),
]
UNDECODED = Network("yolov5", {"size": "n", "decode": False}, _picture)
_SMALL = {"size": "n", "width": 0.125, "depth": 0.1}
# One of every generation, reduced as far as it goes.
ONCE = [
    Network("yolov5", _SMALL, _picture),
    Network("yolov5_focus", {"size": "s"}, lambda b, h, w: (b, h, w, 3)),
    Network("yolov3", {"width": 0.125, "depth": 0.2}, _picture),
    Network("yolov4", {"width": 0.125, "depth": 0.2}, _picture),
    Network("yolov7", {"size": "tiny", "width": 0.125}, _picture),
    Network("yolov8", _SMALL, _picture),
    Network("yolov9", {"size": "m", "width": 0.125}, _picture),
    Network("yolov10", _SMALL, _picture),
    Network("yolov11", _SMALL, _picture),
    Network("yolox", {"size": "nano", "width": 0.125}, _picture),
]
# Outside the gate: half a minute and more each; the others have their kinds of layers too.
APART = frozenset({"yolov4", "yolov9", "yolov11"})
INPUTS = [(1, 64, 64), (3, 128, 96)]


@pytest.fixture(autouse=True)
def _graph_mode() -> Iterator[None]:
    before = mindspore.get_context("mode")
    yield
    mindspore.set_context(mode=before)


def expected_of(network: Network, x: np.ndarray) -> list[np.ndarray]:
    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    expected = flatten(network.build()(Tensor(x)))
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    return expected


def assert_same(got: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    assert [array.shape for array in got] == [array.shape for array in expected]
    for one, other in zip(got, expected, strict=True):
        assert np.abs(one - other).max() <= tolerance * np.abs(other).max()


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.every if one.name in APART else ())
        for one in ONCE
    ],
)
def test_a_network_compiled_once_takes_pictures_of_any_number_and_size(network: Network) -> None:
    cases = [(x, expected_of(network, x)) for x in (network.input(*size) for size in INPUTS)]
    net = network.build()
    net.set_inputs(Tensor(shape=network.shape(None, None, None), dtype=mindspore.float32))
    for x, expected in cases:
        assert_same(flatten(net(Tensor(x))), expected, 1e-6)
    assert len(net.compile_cache) == 1


def test_twenty_sizes_are_one_compilation() -> None:
    network = ONCE[0]
    once, each = network.build(), network.build()
    once.set_inputs(Tensor(shape=network.shape(None, None, None), dtype=mindspore.float32))
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    sizes = [(batch, 32 * rows, 64) for batch in (1, 2) for rows in range(1, 11)]
    for size in sizes:
        x = Tensor(network.input(*size))
        found = flatten(once(x))
        if size in (sizes[0], sizes[-1]):  # compiled for each size it is the same
            assert_same(flatten(each(x)), found, 1e-6)
    assert len(once.compile_cache) == 1
    assert len(each.compile_cache) == 2


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n.name}-{n.arguments}")
def test_a_mindir_file_takes_pictures_of_any_number_and_size(
    network: Network, tmp_path: Path
) -> None:
    cases = [(x, expected_of(network, x)) for x in (network.input(*size) for size in INPUTS)]
    any_shape = Tensor(shape=network.shape(None, None, None), dtype=mindspore.float32)
    file = tmp_path / "net.mindir"
    mindspore.export(network.build(), any_shape, file_name=str(file), file_format="MINDIR")
    loaded = nn.GraphCell(mindspore.load(str(file)))
    for x, expected in cases:
        assert_same(flatten(loaded(Tensor(x))), expected, 1e-6)


@pytest.mark.parametrize("dynamic", [False, True], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("network", [*NETWORKS, UNDECODED], ids=lambda n: f"{n.name}-{n.arguments}")
def test_an_onnx_file_computes_the_same(network: Network, dynamic: bool, tmp_path: Path) -> None:
    """Dynamic in batch, height and width; in batch alone where the size is part of the network."""
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    any_size = network.any_size and network.onnx_any_size
    free = (("batch", "height", "width") if any_size else ("batch",)) if dynamic else ()
    sizes = [(1, 64, 64)]
    sizes += [(3, 64, 64)] if "batch" in free else []
    sizes += [(2, 128, 96)] if "height" in free else []
    cases = [(x, expected_of(network, x)) for x in (network.input(*size) for size in sizes)]
    places = network.shape("batch", "height", "width")
    axes = {index: name for index, name in enumerate(places) if name in free}
    file = tmp_path / "net.onnx"
    mindspore.onnx.export(
        network.build(),
        Tensor(cases[0][0]),
        file_name=str(file),
        input_names=["x"],
        # No output names: the exporter renames an output that is also read inside, but not there.
        dynamic_axes={"x": axes} if axes else None,
    )
    onnx.checker.check_model(str(file))
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(file))
    for x, expected in cases:
        assert_same(session.run(None, {"x": x}), expected, 1e-4)
