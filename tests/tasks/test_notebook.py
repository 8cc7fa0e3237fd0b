"""What a notebook shows of predictions: the picture with what was found, and a table."""

from __future__ import annotations

import base64
import io
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.html_reading import Reading
from zoohub.tasks.finding import find_task
from zoohub.tasks.results import Label, Prediction, Predictions
from zoohub.tasks.segmentation.interpret import Region

HOSTILE = '<img src=x onerror=alert(1)> "&\u202e.png'


def picture_of(document: str) -> Image.Image:
    (source,) = [given["src"] for tag, given in Reading(document).elements if tag == "img"]
    assert source is not None
    kind, _, data = source.partition(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format == kind.rpartition("/")[2].upper()
    return image


def prediction(task: str, pixels: np.ndarray, *found: Any, name: str = "a.png") -> Prediction[Any]:
    illustrate = partial(find_task(task).illustrate, pixels, found)
    return Prediction(name, found, engine="mindspore", illustrate=illustrate)


GREY = np.full((60, 90, 3), 128, np.uint8)


def test_a_class_is_a_row_beside_the_picture() -> None:
    cat, dog = Label("cat", 3, 0.875), Label("dog", 4, 0.125)
    document = prediction("image-classification", GREY, cat, dog)._repr_html_()
    words = Reading(document).words
    assert words[:4] == ["a.png", "label", "index", "score"]  # and no column of absent boxes
    assert words[4:] == ["cat", "3", "87.5%", "dog", "4", "12.5%"]
    image = picture_of(document)
    assert image.size == (90, 60)
    np.testing.assert_array_equal(np.asarray(image), GREY)


def test_a_box_is_drawn_on_the_picture() -> None:
    document = prediction("object-detection", GREY, Label("cat", 3, 0.9, (10, 20, 50, 55)))
    read = Reading(document._repr_html_())
    assert read.words[-4:] == ["cat", "3", "90.0%", "10, 20, 50, 55"]
    pixels = np.asarray(picture_of(document._repr_html_())).astype(int)
    assert np.abs(pixels[54, 20:40] - 128).max() > 60  # the lower edge
    assert np.abs(pixels[:, 60:] - 128).max() < 20


def test_a_class_map_lies_over_the_picture() -> None:
    mask = np.zeros((60, 90), bool)
    mask[:, :30] = True
    found = Region("sky", 1, 1 / 3, mask), Region("ground", 0, 2 / 3, ~mask)
    document = prediction("semantic-segmentation", GREY, *found)._repr_html_()
    assert Reading(document).words[1:7] == ["label", "index", "share", "sky", "1", "33.3%"]
    pixels = np.asarray(picture_of(document)).astype(int)
    assert np.abs(pixels[:, 5:25] - 128).max() > 40
    assert np.abs(pixels[:, 40:] - 128).max() < 20


@pytest.mark.parametrize(
    ("size", "small", "width"),
    [((4000, 3000), (320, 240), 320), ((8, 8), (8, 8), 96), ((8, 16), (8, 16), 48)],
)
def test_large_pictures_are_made_small_and_small_ones_are_shown_large(
    size: tuple[int, int], small: tuple[int, int], width: int, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    Image.effect_noise(size, 60).save(file)
    shown = prediction("image-classification", file, Label("a", 0, 1.0))  # type: ignore[arg-type]
    document = shown._repr_html_()
    assert picture_of(document).size == small
    assert f"width: {width}px" in document
    assert len(document) < 80_000


def test_names_of_files_and_classes_are_text() -> None:
    found = [Label(HOSTILE, 0, 0.9, (1, 2, 3, 4))]
    shown = [
        prediction("object-detection", GREY, *found, name=HOSTILE),
        Prediction(HOSTILE, error=f"{HOSTILE}: not a picture"),
        prediction("object-detection", GREY, name=HOSTILE),
    ]
    read = Reading(Predictions(shown)._repr_html_())
    assert read.tags == {"div", "b", "img", "table", "thead", "tbody", "tr", "th", "td"}
    assert not [
        given for _, given in read.elements if set(given) - {"src", "alt", "style", "scope"}
    ]
    visible = HOSTILE.replace("\u202e", "\\u202e")
    assert read.words.count(visible) == 4
    assert f"{visible}: not a picture" in read.words
    assert "nothing found" in read.words


def test_a_picture_that_has_gone_leaves_its_results_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "gone.png"
    shown = prediction("image-classification", file, Label("a", 0, 1.0))  # type: ignore[arg-type]
    words = " ".join(Reading(shown._repr_html_()).words)
    assert "100.0%" in words
    assert f"{file}: there is no such file" in words


def test_of_many_the_first_are_shown_and_the_rest_counted() -> None:
    many = Predictions([Prediction(f"{n}.png", (Label("a", 0, 1.0),) * 30) for n in range(60)])
    words = Reading(many._repr_html_()).words
    assert [word for word in words if word.endswith(".png")] == [f"{n}.png" for n in range(50)]
    assert words.count("and 10 more") == 51  # rows of each, and predictions
    assert many == list(many)
    assert len(pickle.loads(pickle.dumps(many))) == 60


def test_showing_needs_neither_mindspore_nor_ipython() -> None:
    code = (
        "import sys, numpy as np; from functools import partial\n"
        "from zoohub.tasks.finding import find_task\n"
        "from zoohub.tasks.results import Label, Prediction\n"
        "task, found = find_task('object-detection'), (Label('a', 0, 0.5, (0, 0, 5, 5)),)\n"
        "draw = partial(task.illustrate, np.zeros((9, 9, 3), np.uint8), found)\n"
        "assert '<img' in Prediction('a', found, illustrate=draw)._repr_html_()\n"
        "sys.exit(bool({'mindspore', 'IPython'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_browser_shows_the_picture_and_runs_nothing(browser: Any, tmp_path: Path) -> None:
    shown = prediction("object-detection", GREY, Label(HOSTILE, 0, 0.9, (9, 9, 50, 50)),
                       name=HOSTILE)  # fmt: skip
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><meta charset="utf-8">{shown._repr_html_()}', "utf-8")
    browser.get(page.as_uri())
    images = browser.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.width, i.height])"
    )
    assert images == [[True, 90, 96, 64]] or images == [[True, 90, 90, 60]]
    assert browser.execute_script("return document.querySelector('td').textContent") == (
        HOSTILE.replace("\u202e", "\\u202e")
    )
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
