"""Exported files predicted with and evaluated, by what they say of themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mindspore import Tensor
from PIL import Image

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError
from zoohub.exporting import export_network
from zoohub.inputs.picture.digits import all_digits, heldout_digits
from zoohub.networks.families import find_family
from zoohub.outputs.raw_maps import decode_maps

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _one_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOHUB_HOME", str(home))
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits that the held-out fifth has none of, as pictures."""
    folder = tmp_path_factory.mktemp("calibration")
    digits = all_digits()
    for number in range(1, 1200, 12):  # never a multiple of 5: those are held out
        if number % 5:
            Image.fromarray(digits.images[number]).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("open.onnx", {"dynamic": {"batch"}}),
        ("fixed.onnx", {"batch": 7}),
        ("half.onnx", {"dynamic": {"batch"}, "dtype": "float16"}),
        ("open.mindir", {"dynamic": {"batch"}}),
        ("fixed.mindir", {"batch": 7}),
    ],
)
def test_an_exported_classifier_is_as_right_as_the_network(
    name: str, options: dict[str, Any], digits: Any, out: Path, onnxruntime: Any
) -> None:
    path = export_network(digits, out / name, **options)
    own = zoohub.evaluate(digits, "digits")
    assert own["count"] == 360
    found = zoohub.evaluate(path, "digits")
    assert found["classes"] == list("0123456789")
    assert found["top1"] == own["top1"]
    assert found["confusion"] == own["confusion"]
    assert found["loss"] == pytest.approx(own["loss"], abs=1e-3)
    (expected,) = zoohub.predict(digits, heldout_digits().images[3])
    (predicted,) = zoohub.predict(str(path), heldout_digits().images[3])
    assert [label.label for label in predicted.predictions] == [
        label.label for label in expected.predictions
    ]


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_what_eight_bits_lose_is_said_by_eval_with_compare(
    kind: str,
    out: Path,
    calibration: Path,
    capsys: pytest.CaptureFixture[str],
    onnxruntime: Any,
) -> None:
    target = str(out / "int8.onnx")
    command = ["export", "lenet5@digits", "--output", target, "--dynamic", "batch"]
    command += ["--quantize", kind]
    assert main(command + (["--calibrate", str(calibration)] if kind == "static" else [])) == 0
    capsys.readouterr()
    evaluation = ["eval", target, "--data", "digits", "--compare", "lenet5@digits"]
    assert main([*evaluation, "--json"]) == 0
    small, whole = json.loads(capsys.readouterr().out)
    assert (small["model"], whole["model"]) == (target, "lenet5@digits")
    assert small["loss"] != whole["loss"]
    gained = small["top1"] - whole["top1"]
    assert abs(gained) <= 0.02
    assert main(evaluation) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("top-1"))
    assert row.split() == [
        "top-1",
        f"{small['top1']:.4f}",
        f"{whole['top1']:.4f}",
        f"{gained:+.4f}",
    ]


def test_an_exported_classifier_is_not_measured_with_other_classes(
    digits: Any, out: Path, onnxruntime: Any
) -> None:
    path = export_network(digits, out / "a.onnx")
    for name in ("cat", "dog"):
        (out / "pets" / name).mkdir(parents=True)
        Image.fromarray(heldout_digits().images[0]).save(out / "pets" / name / "0.png")
    with pytest.raises(DataError, match="does not know: cat, dog"):
        zoohub.evaluate(path, out / "pets")


def test_a_file_of_others_says_what_it_lacks(out: Path, onnxruntime: Any) -> None:
    import onnx

    from zoohub.graphs.onnx_builder import OnnxBuilder, tensor_info

    build = OnnxBuilder()
    build.add("Identity", ["x"], output="y")
    model = build.model([tensor_info("x", [1, 10])], [tensor_info("y", [1, 10])], {}, "foreign")
    onnx.save(model, str(out / "foreign.onnx"))
    for attempt in (
        lambda: zoohub.evaluate(out / "foreign.onnx", "digits"),
        lambda: zoohub.predict(str(out / "foreign.onnx"), heldout_digits().images[0]),
    ):
        with pytest.raises(DataError, match="does not say how its input is made"):
            attempt()


def test_a_file_that_takes_something_else_than_it_says_is_named(
    digits: Any, out: Path, onnxruntime: Any
) -> None:
    import onnx

    model = onnx.load(export_network(digits, out / "a.onnx"))
    said = {prop.key: prop.value for prop in model.metadata_props}
    said["zoohub.input"] = said["zoohub.input"].replace("[32, 32]", "[8, 8]")
    onnx.helper.set_model_props(model, said)
    onnx.save(model, out / "a.onnx")
    with pytest.raises(DataError, match=r"a\.onnx cannot be run on image \(1, 1, 8, 8\): ") as told:
        zoohub.predict(out / "a.onnx", heldout_digits().images[0])
    assert "\n" not in str(told.value)
    said["zoohub.family"] = "x" * 300  # which is no folder's name
    onnx.helper.set_model_props(model, said)
    onnx.save(model, out / "a.onnx")
    with pytest.raises(DataError, match="cannot be run"):
        zoohub.predict(out / "a.onnx", heldout_digits().images[0])


@pytest.mark.parametrize("builder", ["yolov5", "yolov5_focus"])
def test_maps_decoded_in_numpy_are_the_networks_own_boxes(
    builder: str, load: Callable[..., Any]
) -> None:
    name = "yolov5n" if builder == "yolov5" else "yolov5s@r1.10-coco2017"
    decoding, raw = (load(name, decode=decode) for decode in (True, False))
    head = decoding.model.model[-1] if builder == "yolov5" else decoding
    shape = (2, 3, 64, 96) if builder == "yolov5" else (2, 64, 96, 3)
    x = Tensor(np.random.default_rng(0).random(shape, dtype=np.float32))
    outputs = decoding(x)
    first = outputs[:1] if builder == "yolov5" else outputs
    read = find_family(builder).read_outputs()
    boxes = read({f"output_{i}": o.asnumpy() for i, o in enumerate(first)}, (64, 96))
    expected = np.concatenate([boxes.boxes, boxes.objectness[..., None], boxes.scores], -1)
    found = decode_maps([output.asnumpy() for output in raw(x)], head.box_decoding())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    with pytest.raises(DataError, match="expected 3 maps"):
        decode_maps([expected], head.box_decoding())


@pytest.mark.slow
def test_an_exported_detector_is_as_precise_as_the_network_however_it_was_exported(
    out: Path, capsys: pytest.CaptureFixture[str], onnxruntime: Any
) -> None:
    pytest.importorskip("pycocotools")
    from zoohub.tasks.detection.recipe import ScenesData

    net = zoohub.load("yolov5n@digits", pretrained=True)
    scenes = ScenesData("digit-scenes", size=96, test=24)
    own = zoohub.evaluate(net, scenes, batch_size=8)
    assert own["map50"] > 0.5
    for name, options in {
        "boxes.onnx": {"dynamic": {"batch"}},
        "boxes.mindir": {},
        "maps.onnx": {"decode": False, "dynamic": {"batch"}},
        "maps.mindir": {"decode": False, "batch": 5},
    }.items():
        path = export_network(net, out / name, **options)
        found = zoohub.evaluate(path, scenes, batch_size=8)
        for key in ("count", "boxes", "classes", "warnings"):
            assert found[key] == own[key]
        for key in ("map", "map50", "map75"):
            assert found[key] == pytest.approx(own[key], abs=2e-3), (name, key)
    # With NMS of its own, for several pictures at a time and for one.
    picture = heldout_scene()
    (expected,) = zoohub.predict(net, picture)
    assert expected.predictions
    for name, options in {"nms.onnx": {"dynamic": {"batch"}}, "one.onnx": {}}.items():
        path = export_network(net, out / name, nms=True, **options)
        found = zoohub.evaluate(path, scenes, batch_size=8)
        assert 0.8 * own["map"] < found["map"] <= own["map"]
        assert "leaves out boxes that score below 0.25" in found["warnings"][0]
        (predicted,) = zoohub.predict(str(path), [picture])
        for one, other in zip(expected.predictions, predicted.predictions, strict=True):
            assert (one.label, one.box) == (other.label, pytest.approx(other.box, abs=0.1))
            assert one.score == pytest.approx(other.score, abs=1e-3)
    assert main(["eval", str(path), "--data", "digits"]) == 1
    assert "learns from pictures with boxes" in capsys.readouterr().err


def heldout_scene() -> Any:
    from zoohub.tasks.detection.scenes import make_scene

    return make_scene(heldout_digits(), "test", 3, 96)[0]


@pytest.mark.parametrize("suffix", ["onnx", "mindir"])
def test_a_file_of_texts_says_what_the_network_says(
    suffix: str, out: Path, onnxruntime: Any
) -> None:
    text = "Wo ist der Bahnhof?"
    pytest.importorskip("tokenizers")
    path = zoohub.export("textcnn@languages", out / f"a.{suffix}", length=32)
    (own,) = zoohub.predict("textcnn@languages", text)
    assert own.engine == "onnxruntime"  # it takes no mask, and its length is known
    (found,) = zoohub.predict(path, text)
    assert [one.label for one in found.predictions] == [one.label for one in own.predictions]
    assert found.predictions[0].score == pytest.approx(own.predictions[0].score, abs=1e-4)


@pytest.mark.parametrize("suffix", ["onnx", "mindir"])
def test_a_file_of_an_encoder_takes_shorter_texts(suffix: str, out: Path, onnxruntime: Any) -> None:
    small = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 32, "head": "encoder"}  # fmt: skip
    net = zoohub.load("bert_base", progress=False, **small)
    path = zoohub.export(net, out / f"a.{suffix}", length=12)
    ids = [[2, 7, 9, 3], [2, 5, 5, 6, 3]]
    for own, found in zip(zoohub.predict(net, ids), zoohub.predict(path, ids), strict=True):
        wanted = own.predictions[0].vector
        assert found.predictions[0].vector == pytest.approx(wanted, abs=1e-4)
