"""Pages are read end to end, by PP-OCRv3's own weights (see `tests/networks/paddle_weights.py`)."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import zoohub
from zoohub.cli.main import main

sys.path.append(str(Path(__file__).parents[1] / "networks"))
from paddle_weights import published, write_index

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = [
    "Region-basedsegmentation",
    "Letusfirstdeterminemarkersofthecoinsandthe",
    "background.Thesemarkersarepixelsthatwecanlabel",
    "unambiguouslyaseitherobjectorbackground.Here,",
    "themarkersarefoundatthetwoextremepartsofthe",
    "histogramofgreyvalues:",
]


def page(name: str = "page") -> Image.Image:
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package scikit-image")
    return Image.open(Path(spec.origin).parent / "data" / f"{name}.png").convert("RGB")


def drawn(lines: dict[str, int]) -> Image.Image:
    """Lines of text, each of its size in pixels, in the font that Pillow brings."""
    picture = Image.new("RGB", (800, 30 + 60 * len(lines)), "white")
    draw = ImageDraw.Draw(picture)
    for place, (text, size) in enumerate(lines.items()):
        draw.text((20, 15 + 60 * place), text, fill="black", font=ImageFont.load_default(size))
    return picture


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a pipeline of PP-OCRv3's networks, in an index of one's own."""
    if published("detector") is None:
        pytest.skip("needs the package rapidocr-onnxruntime")
    name = write_index(tmp_path)
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index"))
    return name


def texts(lines: list[Any]) -> list[str]:
    return [line["text"].replace(" ", "") for line in lines]


def read(name: str, *options: str, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    capsys.readouterr()
    assert main(["predict", name, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return [*found]


def test_a_page_is_read_by_both_engines_and_however_it_lies(
    pipeline: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for name, turned in (
        ("upright", page()),
        ("left", page().rotate(90, expand=True)),
        ("right", page().rotate(-90, expand=True)),
        ("over", page().rotate(180)),
        ("blank", Image.new("RGB", (300, 200), "white")),
    ):
        files[name] = str(tmp_path / f"{name}.png")
        turned.save(files[name])
    (one,) = read(pipeline, files["upright"], "--engine", "mindspore", capsys=capsys)
    assert one["engine"] == "mindspore"
    assert texts(one["predictions"])[:6] == PAGE
    assert all(line["score"] > 0.85 for line in one["predictions"][:6])
    found = read(pipeline, *files.values(), "--save", str(tmp_path / "drawn"), capsys=capsys)
    for name, prediction in zip(files, found, strict=True):
        assert prediction["engine"] == "onnxruntime"
        if name == "blank":
            assert prediction["predictions"] == []
            continue
        shared = sum(line in PAGE for line in texts(prediction["predictions"]))
        assert shared >= (6 if name == "upright" else 4), (name, texts(prediction["predictions"]))
    assert len([*(tmp_path / "drawn").iterdir()]) == 5
    first = np.array(one["predictions"][0]["polygon"])
    again = np.array(found[0]["predictions"][0]["polygon"])
    assert np.abs(first - again).max() < 2


def test_what_rapidocr_is_sure_of_is_read_the_same(pipeline: str) -> None:
    """On its own crops, one at a time, as its padding depends on the others of a batch; spaces
    apart, of which a pixel more at the end of a line makes or unmakes the narrow ones."""
    engine = importlib.import_module("rapidocr_onnxruntime").RapidOCR()
    words = (
        "Invoice No. 2026-11/0042",
        "predict ocr page.png",
        "The quick brown fox jumps",
        "Reads",
    )
    lines = dict(zip(words, (28, 20, 32, 40), strict=True))
    sure = 0
    for picture in (page("page"), page("text"), drawn(lines)):
        bgr = np.ascontiguousarray(np.asarray(picture)[..., ::-1])
        boxes, _ = engine.text_detector(bgr)
        crops = engine.get_crop_img_list(bgr, boxes)
        ours = zoohub.predict("recogniser", [np.ascontiguousarray(c[..., ::-1]) for c in crops])
        for crop, found in zip(crops, ours, strict=True):
            ((text, score),), _ = engine.text_recognizer([crop])
            if score > 0.9:
                sure += 1
                read = [one.text.replace(" ", "") for one in found.predictions]
                assert read == [text.replace(" ", "")]
    assert sure >= 3  # some are near the bound


def test_the_second_call_imports_no_mindspore_and_any_page_size_does(
    pipeline: str, tmp_path: Path
) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    page().save(small)
    page().resize((900, 450)).save(large)
    code = (
        "import sys; from zoohub.cli.main import main; code = main(sys.argv[1:]);"
        "print(code, 'mindspore' in sys.modules, file=sys.stderr)"
    )
    ends = []
    for file in (small, large):
        command = [sys.executable, "-c", code, "predict", pipeline, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        ends.append(done.stderr.splitlines()[-1])
        assert "markers" in done.stdout.replace(" ", "")
    assert ends == ["0 True", "0 False"]


def test_an_exported_pipeline_reads_the_same(
    pipeline: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.png"
    page().save(file)
    (before,) = read(pipeline, str(file), capsys=capsys)
    folder = tmp_path / "exported"
    assert main(["export", pipeline, "--output", str(folder), "--check"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "detection.onnx",
        "finds_and_reads.json",
        "recognition.onnx",
    ]
    (after,) = read(str(folder / "finds_and_reads.json"), str(file), capsys=capsys)
    assert texts(after["predictions"]) == texts(before["predictions"])
