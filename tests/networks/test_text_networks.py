"""Networks that find and read text: what pictures they take, and as files what sizes stay open."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn
from weights_rule import fill_by_rule

import zoohub
from zoohub.errors import ExportError
from zoohub.networks.families import find_family
from zoohub.networks.picture_sizes import fixed_size_problem
from zoohub.networks.rare.network import Reader


@dataclass(frozen=True)
class Small:
    """A model, reduced, the size of its pictures, and the axes that stay open in a file."""

    model: str
    size: tuple[int, int] | None
    axes: str
    arguments: dict[str, Any] = field(default_factory=dict)


_LCNET = {"width": 0.125, "hidden_size": 16, "depth": 1, "num_classes": 11}
_MASTER = {"steps": 3, "stacks": 1, "intermediate_size": 32}
_ABINET = {"depth": 1, "language_depth": 1, "intermediate_size": 32, "rounds": 2}
SMALL = [
    Small("dbnet_mobilenetv3_ppocrv3", (64, 96), "batch height width"),
    Small("dbnetpp_resnet50", (64, 96), "batch height width"),
    Small("psenet_mobilenetv3", (64, 96), "batch height width"),
    Small("east_mobilenetv3", (64, 96), "batch height width"),
    Small("fcenet_resnet50", (64, 96), "batch height width"),
    Small("ctpn", (64, 96), "batch height width"),
    Small("crnn_vgg7", (32, 64), "batch width", {"hidden": 8}),
    Small("crnn_resnet34", (32, 64), "batch width", {"hidden": 8}),
    Small("rare_resnet34", (32, 64), "batch width", {"hidden": 8, "steps": 3}),
    Small("svtr_lcnet_ppocrv3", (48, 64), "batch width", _LCNET),
    Small("svtr_tiny_ch", (32, 320), "batch"),
    Small("master_resnet31", (48, 64), "batch width", _MASTER),
    Small("visionlan_resnet45_la", (64, 256), "batch", {"intermediate_size": 32, "depth": 1}),
    Small("abinet_resnet45_en", (32, 128), "batch", _ABINET),
    Small("crnn", (32, 64), "batch width", {"hidden": 8}),
    Small("crnn_seq2seq_ocr", (128, 32), "batch", {"hidden": 8, "steps": 4, "num_classes": 12}),
    Small("robustscanner_resnet31", None, "batch", {"steps": 3, "hidden_size": 8}),
    Small("cls_mobilenetv3", (48, 192), "batch height width"),
]


@pytest.mark.every
@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["onnx", "mindir"])
@pytest.mark.parametrize("small", [pytest.param(small, id=small.model) for small in SMALL])
def test_a_file_is_checked_with_all_axes_open_that_may_be(
    small: Small, suffix: str, tmp_path: Path
) -> None:
    net = zoohub.load(small.model, **small.arguments)
    fill_by_rule(net)  # through DBNet++ drawn weights let grow what rounding moves
    axes = set(small.axes.split())
    path = tmp_path / f"net.{suffix}"
    file = zoohub.export(net, path, size=small.size, dynamic=axes, check=True)
    assert file.is_file()


def test_a_mindir_of_rares_reader_takes_any_batch(tmp_path: Path) -> None:
    reader = Reader(16, 8, 5, 2).set_train(False)
    example = Tensor(shape=(7, None, 16), dtype=ms.float32)
    ms.export(reader, example, file_name=str(tmp_path / "reader"), file_format="MINDIR")
    whole = nn.GraphCell(ms.load(str(tmp_path / "reader.mindir")))
    columns = Tensor(np.random.default_rng(0).standard_normal((7, 3, 16)).astype(np.float32))
    assert np.abs(whole(columns).asnumpy() - reader(columns).asnumpy()).max() < 1e-6


@pytest.mark.parametrize(
    ("family", "arguments", "sides"),
    [
        ("crnn", {}, (32, None)),
        ("rare", {}, (32, None)),
        ("crnn_zoo", {}, (32, None)),
        ("crnn_seq2seq_ocr", {}, (128, 512)),
        ("crnn_seq2seq_ocr", {"steps": 8}, (128, 64)),
        ("svtr_lcnet", {}, (48, None)),
        ("svtr", {}, (None, None)),
        ("svtr", {"straighten": False}, (32, 320)),
        ("svtr", {"straighten": False, "width": 100}, (32, 100)),
        ("visionlan", {}, (64, 256)),
        ("abinet", {}, (32, 128)),
        ("abinet", {"places": 512}, (32, 256)),
        ("dbnet", {}, (None, None)),
    ],
)
def test_a_network_of_one_size_says_so(
    family: str, arguments: dict[str, Any], sides: tuple[int | None, int | None]
) -> None:
    own = find_family(family)
    fitting = (sides[0] or 96, sides[1] or 160)
    assert own.size_problem(arguments, fitting) is None
    for size in ((fitting[0] + 32, fitting[1]), (fitting[0], fitting[1] + 32)):
        assert own.size_problem(arguments, size) == fixed_size_problem(family, sides, size)


def test_a_picture_of_another_size_is_refused_in_one_line(tmp_path: Path) -> None:
    net = zoohub.load("crnn_vgg7", hidden=8)
    line = "crnn takes pictures 32 pixels high, not 48x64"
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        net(Tensor(np.zeros((1, 3, 48, 64), np.float32)))
    with pytest.raises(ExportError, match=line):
        zoohub.export(net, tmp_path / "net.onnx", size=(48, 64))
    with pytest.raises(ExportError, match="32 pixels high: height cannot stay open"):
        zoohub.export(net, tmp_path / "net.onnx", size=(32, 64), dynamic={"height", "width"})
    assert net(Tensor(np.zeros((1, 3, 32, 64), np.float32))).shape == (1, 15, 37)


def test_dbnet_has_as_many_channels_as_it_is_told() -> None:
    from zoohub.networks.dbnet.network import dbnet

    net = dbnet("resnet18", width=0.125, channels=64)
    shapes = {name: value.shape for name, value in net.parameters_and_names()}
    assert shapes["backbone.conv1.weight"] == (8, 3, 7, 7)
    assert shapes["neck.unify_channels.3.weight"] == (64, 64, 1, 1)
    net.set_train(False)
    assert net(Tensor(np.zeros((1, 3, 64, 96), np.float32))).shape == (1, 1, 64, 96)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "resnet18", "channels": 40}, "multiple of 16 channels, not 40"),
        ({"backbone": "resnet18", "width": 0.0}, "width above 0, up to 8"),
        ({"backbone": "resnet18", "width": float("nan")}, "width above 0, up to 8"),
        ({"backbone": "mobilenet_v3", "width": 0.5}, "width on ResNets alone, not on mobilenet_v3"),
    ],
)
def test_dbnet_says_which_channels_it_cannot_have(arguments: dict[str, Any], message: str) -> None:
    from zoohub.networks.dbnet.network import dbnet

    with pytest.raises(ValueError, match=message):
        dbnet(**arguments)
