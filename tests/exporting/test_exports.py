"""Networks exported, the files run beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

import zoohub
from tests.full_disk import files_limited_to
from zoohub.errors import ExportError, UnknownModel
from zoohub.exporting import export_network, export_with_report, read_metadata
from zoohub.exporting.export import _publishing
from zoohub.graphs.precision import _narrowed
from zoohub.running import open_runner

OPEN = ("batch", "height", "width")


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("suffix", ["mindir", "onnx"])
def test_an_export_computes_the_same_and_says_what_it_is(
    suffix: str, digits: Any, out: Path, onnxruntime: Any
) -> None:
    export = export_with_report(digits, out / f"digits.{suffix}", dynamic={"batch"}, check=True)
    assert {difference.shape[0] for difference in export.differences} == {1, 3}
    assert export.difference is not None
    assert export.difference.value < 1e-5
    metadata = read_metadata(export.path)
    checkpoint = digits.zoohub.checkpoint
    assert metadata == export.metadata
    assert metadata.checkpoint == "lenet5@digits"
    assert metadata.sha256 == checkpoint.sha256
    assert metadata.input == digits.zoohub.input
    assert metadata.classes == tuple("0123456789")
    assert (metadata.licence, metadata.dataset_terms) == (
        checkpoint.licence,
        checkpoint.dataset_terms,
    )
    assert files_in(out) == [f"digits.{suffix}"]


def test_an_onnx_file_states_its_opset_and_names_its_ends(
    digits: Any, out: Path, onnxruntime: Any
) -> None:
    import onnx

    model = onnx.load(export_network(digits, out / "a.onnx", dynamic={"batch"}))
    assert model.opset_import[0].version == 17
    ends = [
        (end.name, [d.dim_param or d.dim_value for d in end.type.tensor_type.shape.dim])
        for end in (*model.graph.input, *model.graph.output)
    ]
    assert ends == [("images", ["batch", 1, 32, 32]), ("logits", ["batch", 10])]


@pytest.mark.slow
def test_equal_networks_give_equal_onnx_files_even_after_one_was_exported(
    digits: Any, out: Path, onnxruntime: Any
) -> None:
    files = [export_network(digits, out / name).read_bytes() for name in ("a.onnx", "b.onnx")]
    assert files[0] == files[1]


def test_a_network_in_training_mode_is_exported_for_evaluation_and_stays_in_training(
    out: Path, onnxruntime: Any
) -> None:
    net = nn.SequentialCell(
        [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4), nn.Dropout(p=0.5)]
    )
    x = np.random.default_rng(0).random((1, 3, 16, 16), dtype=np.float32)
    net.set_train(True)
    net(Tensor(x))  # moves the statistics
    expected = net.set_train(False)(Tensor(x)).asnumpy()
    net.set_train(True)
    before = {p.name: p.asnumpy().copy() for p in net.get_parameters()}
    path = export_network(net, out / "m.onnx", size=16, check=True)
    assert net.training
    for parameter in net.get_parameters():
        np.testing.assert_array_equal(parameter.asnumpy(), before[parameter.name])
    found = next(iter(open_runner(path).run({"image": x}).values()))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(net.set_train(False)(Tensor(x)).asnumpy(), expected)


def test_compiler_settings_are_as_before(digits: Any, out: Path) -> None:
    before = [ms.get_context(name) for name in ("mode", "jit_syntax_level")]
    export_network(digits, out / "a.mindir")
    with pytest.raises(ExportError, match="cannot run on an input"):
        export_network(digits, out / "b.mindir", dynamic={"height"})
    assert [ms.get_context(name) for name in ("mode", "jit_syntax_level")] == before


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mindir", "onnx"])
def test_half_precision_halves_the_file_and_keeps_float32_at_its_ends(
    suffix: str, digits: Any, out: Path, onnxruntime: Any
) -> None:
    whole = export_with_report(digits, out / f"whole.{suffix}")
    half = export_with_report(
        digits, out / f"half.{suffix}", dtype="float16", check=True, dynamic={"batch"}
    )
    assert half.size < 0.6 * whole.size
    assert half.difference is not None
    assert 1e-6 < half.difference.value < 1e-2


@pytest.mark.parametrize("suffix", ["mindir", "onnx"])
def test_a_graph_in_half_precision_has_no_parameter_beyond_it(suffix: str, out: Path) -> None:
    if suffix == "onnx":
        pytest.importorskip("onnx")
    net = zoohub.load("lenet5@digits", pretrained=True, offline=True)
    parameter = next(p for p in net.get_parameters() if p.name == "fc3.bias")
    parameter.set_data(parameter - 1e6)
    with pytest.raises(ExportError, match=r"fc3\.bias has the value 1e\+06, and float16 has room"):
        export_network(net, out / f"a.{suffix}", dtype="float16")


def test_a_network_that_insists_on_single_precision_is_refused_as_a_half_mindir(out: Path) -> None:
    class Single(nn.Cell):
        def construct(self, x: Tensor) -> Tensor:
            return ops.BatchMatMul()(x, ops.ones(x.shape, ms.float32))

    with pytest.raises(ExportError, match="does not compile in float16: leave dtype=float16"):
        export_network(Single(), out / "a.mindir", dtype="float16", size=(4, 4))
    assert files_in(out) == []


def test_constants_beyond_half_precision_end_where_it_ends() -> None:
    pytest.importorskip("onnx")
    values = np.array([-1e9, 1e9, 1, np.inf, -np.inf, np.nan], np.float32)
    with np.errstate(all="raise"):
        found = _narrowed(values)
    np.testing.assert_array_equal(
        found, np.array([-65504, 65504, 1, np.inf, -np.inf, np.nan], "f2")
    )


def test_any_cell_can_be_exported_when_its_size_is_given(out: Path, onnxruntime: Any) -> None:
    net = nn.SequentialCell([nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU()])
    export = export_with_report(net, out / "own.onnx", size=(16, 24), dynamic=OPEN, check=True)
    assert export.folded is not None
    assert export.folded.pairs == 1
    assert export.metadata.outputs == ("output",)
    found = open_runner(export.path).run({"image": np.zeros((2, 2, 9, 7), np.float32)})
    assert [output.shape for output in found.values()] == [(2, 4, 9, 7)]
    with pytest.raises(ExportError, match="--size HxW"):
        export_network(net, out / "other.onnx")


@pytest.mark.slow
def test_feature_maps_are_exported_one_output_each(
    load: Callable[..., Any], out: Path, onnxruntime: Any
) -> None:
    net = load("resnet18", features_only=True, out_indices=(1, 3))
    export = export_with_report(net, out / "maps.onnx", size=64, dynamic=OPEN, check=True)
    assert export.metadata.outputs == ("output_0", "output_1")


def test_a_check_that_fails_leaves_what_was_there(
    digits: Any, out: Path, onnxruntime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoohub.exporting import graph_files

    path = out / "a.onnx"
    path.write_bytes(b"before")
    monkeypatch.setattr(graph_files, "TOLERANCE", 0.0)
    with pytest.raises(ExportError, match=r"differs from MindSpore's by .*nothing\s+was written"):
        export_network(digits, path, check=True)
    assert path.read_bytes() == b"before"
    assert files_in(out) == ["a.onnx"]


@pytest.mark.parametrize("name", ["a.mindir", "a.onnx", "a.safetensors", "a.pth"])
def test_a_disk_that_takes_no_more_is_an_error_without_half_a_file(
    name: str, digits: Any, out: Path, onnxruntime: Any
) -> None:
    with files_limited_to(50_000), pytest.raises(ExportError, match="nothing was left there"):
        export_network(digits, out / name)
    assert files_in(out) == []


def test_a_folder_that_cannot_be_made_is_an_error(digits: Any, out: Path) -> None:
    (out / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="cannot write"):
        export_network(digits, out / "file" / "a.mindir")


def test_where_a_part_has_no_place_none_is_put_anywhere(out: Path) -> None:
    (out / "a.more.onnx").mkdir()
    refused = pytest.raises(ExportError, match=r"a\.more\.onnx is a folder; name a file in it")
    with refused, _publishing(out / "a.onnx") as partial:
        for name in ("a.onnx", "a.first.onnx", "a.more.onnx"):
            partial.with_name(name).write_bytes(b"part")
    assert files_in(out) == ["a.more.onnx"]


def test_a_folder_in_the_files_place_is_refused_before_anything_is_written(out: Path) -> None:
    (out / "a.onnx").mkdir()
    refused = pytest.raises(ExportError, match=r"a\.onnx is a folder; name a file in it")
    with refused, _publishing(out / "a.onnx"):
        raise AssertionError("it went on")


def test_air_away_from_ascend_names_the_machine_it_needs(digits: Any, out: Path) -> None:
    with pytest.raises(ExportError, match="on an Ascend machine"):
        export_network(digits, out / "a.air")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mindir", "onnx"])
@pytest.mark.parametrize(
    ("model", "size", "names"),
    [
        ("resnet18", 96, ("logits",)),
        ("resnet50", 64, ("logits",)),
        ("mobilenet_v2_035_128", 96, ("logits",)),
        ("yolov5n", 128, ("predictions",)),
        pytest.param("yolov5n6", 128, ("predictions",), marks=pytest.mark.every),
        ("yolov5s@r1.10-coco2017", 128, ("predictions_0", "predictions_1", "predictions_2")),
    ],
)
def test_every_family_exports_with_open_batch_height_and_width(
    model: str,
    size: int,
    names: tuple[str, ...],
    suffix: str,
    load: Callable[..., Any],
    out: Path,
    onnxruntime: Any,
) -> None:
    net = load(model)
    export = export_with_report(net, out / f"net.{suffix}", size=size, dynamic=OPEN, check=True)
    assert export.metadata.outputs == names
    assert export.folded is not None
    assert export.folded.pairs >= 20
    assert export.difference is not None
    assert export.difference.value < 2e-5


@pytest.fixture
def run_folder(digits: Any, tmp_path: Path) -> Path:
    """A finished run, with the shipped digits' weights in it."""
    from zoohub.checkpoint import write_ckpt
    from zoohub.core.hashing import hash_file
    from zoohub.models.runs import RUN_FILE, WEIGHTS, RunFacts, run_document

    folder = tmp_path / "flowers"
    folder.mkdir()
    arrays = {p.name: p.asnumpy() for p in digits.get_parameters()}
    weights = write_ckpt(folder / WEIGHTS, arrays)
    known = digits.zoohub
    facts = RunFacts(
        name="flowers",
        task=known.entry.task,
        entry=known.entry,
        start=known.checkpoint,
        spec=known.checkpoint.network,
        contract=known.input,
        classes=known.classes,
        sha256=hash_file(weights).sha256,
        size=weights.stat().st_size,
        dataset="digits",
        mindspore=ms.__version__,
        metrics={},
        published=(),
    )
    document = run_document(facts)
    (folder / RUN_FILE).write_text(json.dumps(document))
    return folder


def test_a_run_is_exported_by_its_folder_and_measured_by_the_file(
    run_folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch, onnxruntime: Any
) -> None:
    monkeypatch.chdir(run_folder.parent)
    files = [
        zoohub.export(model, out / f"{number}.onnx", dynamic={"batch"})
        for number, model in enumerate(("./flowers", "flowers", Path("flowers"), run_folder))
    ]
    assert len({path.read_bytes() for path in files}) == 1
    metadata = read_metadata(files[0])
    assert (metadata.model, metadata.checkpoint) == ("flowers", "flowers@run")
    assert zoohub.evaluate(files[0], "digits")["top1"] > 0.9
    with pytest.raises(UnknownModel, match="no folder of a finished run"):
        zoohub.export(Path("lenet5"), out / "x.onnx")  # a model's name, but not a folder
