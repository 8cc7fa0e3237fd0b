"""The pipeline that comes with zoohub, on pages in fonts, words and layouts that it never saw."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

import zoohub
from zoohub import evaluate
from zoohub.cli.main import main
from zoohub.settings import Settings
from zoohub.tasks.text_recognition.metric import edit_distance

HELD_OUT = Path(__file__).resolve().parents[1] / "data" / "held_out"
PAGE = Path(str(files("zoohub"))) / "_data" / "page.png"
LINES = """
From a name to a network
Whoever trains a network publishes
a file, and whoever needs it looks
for its address, fetches it and hopes.
Between both lies an index: it lists
checkpoints by name, each with its
size, its hash and its licence.
A file that was cut off on the way
is fetched from where it ended; one
that differs by a bit isn't used.
1. Find it:
zoohub list "ocr*"
2. Look at it:
zoohub info ocr@printed
3. Use it:
zoohub predict ocr@printed \\
page.png --hocr page.hocr
Two tiny networks read this page,
one finds lines, one letters (95).
""".strip().splitlines()


def wrong(said: list[str], lines: list[str]) -> float:
    """Edits a character, white space and all."""
    return edit_distance("\n".join(said), "\n".join(lines)) / len("\n".join(lines))


@pytest.mark.parametrize("engine", ["mindspore", "onnxruntime"])
def test_the_demos_page_is_read_offline(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    if engine == "onnxruntime":
        pytest.importorskip("onnxruntime")
    command = ["predict", "ocr@printed", str(PAGE), "--offline", "--json", "--engine", engine]
    assert main(command) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert wrong([line["text"] for line in row["predictions"]], LINES) < 0.02


def test_a_document_and_a_drawing_that_were_written_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")  # which the page has been read in before
    file, drawn = tmp_path / "page.hocr", tmp_path / "drawn.png"
    asked = ["--offline", "--hocr", str(file), "--save", str(drawn)]
    assert main(["predict", "ocr@printed", str(PAGE), *asked]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-2:] == [f"written to {file}", f"drawn in {drawn}"]
    assert drawn.is_file()
    assert file.read_text("utf-8").count("class='ocr_line'") == len(LINES)


@pytest.mark.slow
def test_the_detector_is_as_good_as_the_index_says(tmp_path: Path) -> None:
    """On three of the hundred pages; the figures are those of all."""
    settings = Settings(home=tmp_path, offline=True)
    found = evaluate("dbnet_resnet18@printed", HELD_OUT / "printed", settings=settings)
    stated = zoohub.info("dbnet_resnet18").checkpoint("printed")
    assert stated is not None
    assert found["texts"] > 60
    assert 100 * found["hmean"] > dict(stated.metrics)["f1"] - 5


@pytest.mark.slow
@pytest.mark.parametrize("angle", [0, 2, 180])
def test_a_page_that_it_never_saw_is_read_however_it_lies(angle: int, tmp_path: Path) -> None:
    """Two columns of words held out, in a font held out (bench_ocr.py drew them)."""
    page = tmp_path / "page.png"
    with Image.open(HELD_OUT / "printed-a4.png") as picture:
        picture.convert("L").rotate(angle, fillcolor=255).save(page)
    (found,) = zoohub.predict("ocr@printed", str(page), offline=True)
    text = (HELD_OUT / "printed-a4.txt").read_text("utf-8")
    said, known = ("".join(t.split()) for t in ("".join(x.text for x in found.predictions), text))
    assert len(known) > 2500
    assert edit_distance(said, known) / len(known) < 0.03
