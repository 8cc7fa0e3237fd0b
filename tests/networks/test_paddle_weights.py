"""PP-OCRv3's own weights in zoohub's networks give what onnxruntime makes of them.

They come in a package of PyPI whose dependencies the tests do without:

    pip install --no-deps rapidocr-onnxruntime==1.2.3
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from paddle_weights import convert, published, written

import zoohub

pytestmark = pytest.mark.slow

# What PaddleOCR computes where MindOCR, whose networks these are, computes otherwise.
DETECTOR: dict[str, Any] = {"gate_slope": 0.2, "corners": False}
RECOGNISER: dict[str, Any] = {"norm_eps": 1e-5}
LINE = (0, 81, 384, 100)  # of the page


def file_of(part: str) -> Path:
    file = published(part)
    if file is None:
        pytest.skip("needs the package rapidocr-onnxruntime")
    return file


def picture(name: str, size: tuple[int, int], box: tuple[int, ...] | None = None) -> np.ndarray:
    """A picture of scikit-image, without importing it, cut and stretched: (1, 3, H, W), 0 to 1."""
    from PIL import Image

    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package scikit-image")
    image = Image.open(Path(spec.origin).parent / "data" / f"{name}.png").convert("RGB").crop(box)
    pixels = np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 255)


def reference(file: Path, image: np.ndarray, last: str | None = None) -> np.ndarray:
    """What onnxruntime gives; with `last`, the input of the last node of that operator."""
    import onnx
    import onnxruntime

    model = onnx.load(str(file))
    name = model.graph.output[0].name
    if last is not None:
        name = [node for node in model.graph.node if node.op_type == last][-1].input[0]
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: np.ndarray = session.run([name], {"x": image})[0]
    return found


@pytest.mark.parametrize(
    ("part", "arrays", "values"), [("detector", 288, 592_625), ("recogniser", 196, 2_652_257)]
)
def test_every_array_of_the_files_has_a_name(part: str, arrays: int, values: int) -> None:
    found = convert(part, file_of(part))
    assert (len(found), sum(array.size for array in found.values())) == (arrays, values)


def text_of(probabilities: np.ndarray, file: Path) -> str:
    """The characters at their steps, repeated ones and blanks left out."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    known = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    characters = ["", *known, " "]
    best = probabilities[0].argmax(1)
    kept = [k for place, k in enumerate(best) if place == 0 or k != best[place - 1]]
    return "".join(characters[k] for k in kept)


@pytest.mark.parametrize("name", ["page", "text"])
def test_the_detector_finds_what_onnxruntime_finds(name: str, tmp_path: Path) -> None:
    file = file_of("detector")
    weights = written("detector", file, tmp_path / "detector.ckpt")
    net = zoohub.load("dbnet_mobilenetv3_ppocrv3", checkpoint=str(weights), **DETECTOR)
    report = net.zoohub.report
    assert report.complete
    assert len(report.loaded) == 288
    assert {parameter.split(".")[1] for parameter in report.untrained} == {"thresh"}
    colour = np.array([0.485, 0.456, 0.406, 0.229, 0.224, 0.225], np.float32).reshape(2, 3, 1, 1)
    image = (picture(name, (192, 384)) - colour[0]) / colour[1]
    wanted = reference(file, image)
    assert wanted.max() > 0.9  # there is text
    assert np.abs(net(ms.Tensor(image)).asnumpy() - wanted).max() < 1e-3


def test_the_recogniser_reads_what_onnxruntime_reads(tmp_path: Path) -> None:
    file = file_of("recogniser")
    weights = written("recogniser", file, tmp_path / "recogniser.ckpt")
    net = zoohub.load("svtr_lcnet_ppocrv3", checkpoint=str(weights), **RECOGNISER)
    report = net.zoohub.report
    assert report.complete
    assert len(report.loaded) == 196
    assert {parameter.split(".")[1] for parameter in report.untrained} == {"sar_head"}
    image = 2 * picture("page", (48, 968), LINE) - 1
    columns = net.head.ctc_encoder(net.backbone(ms.Tensor(image)))
    logits = net.head.ctc_head.dense1(columns).asnumpy().transpose(1, 0, 2)
    wanted = reference(file, image, last="Softmax")
    assert np.abs(logits - wanted).max() < 1e-3
    probabilities = net(ms.Tensor(image)).asnumpy()
    assert np.abs(probabilities - reference(file, image)).max() < 1e-3
    assert text_of(probabilities, file) == "unambiguously as either object or background. Here,"
