"""The pages of a PDF are pictures."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture import read_image
from zoohub.inputs.picture.sources import expand_inputs


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Two pages of 2 x 1 inches, red and blue."""
    pages = [Image.new("RGB", (144, 72), colour) for colour in ("red", "blue")]
    file = tmp_path / "scan.PDF"
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=72)
    return file


def test_each_page_is_an_input_drawn_when_it_is_its_turn(scan: Path) -> None:
    pytest.importorskip("pypdfium2")
    first, second = expand_inputs(str(scan))
    assert (first.name, second.name) == (f"{scan}#1", f"{scan}#2")
    pixels = read_image(first.value)
    assert pixels.shape == (200, 400, 3)
    assert np.abs(pixels.mean((0, 1)) - (254, 0, 0)).max() < 3
    assert read_image(second.value, "BGR").mean((0, 1))[0] > 250


def test_a_page_too_large_is_refused_before_it_is_drawn(
    scan: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pypdfium2")
    file = tmp_path / "poster.pdf"
    Image.new("RGB", (20, 20)).save(file, "PDF", resolution=1)  # 20 inches each way
    monkeypatch.setenv("ZOOHUB_MAX_PIXELS", "2000000")
    (page,) = expand_inputs(file)
    with pytest.raises(DataError, match=r"poster\.pdf#1: 16 megapixels"):
        read_image(page.value)


def test_what_is_no_pdf_or_cannot_be_opened_is_said(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pypdfium2")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(DataError, match=r"broken\.pdf cannot be read as a PDF"):
        expand_inputs(broken)
    with pytest.raises(DataError, match="there is no such file"):
        expand_inputs(tmp_path / "none.pdf")
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "pypdfium2":
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "pypdfium2")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match="pip install pypdfium2"):
        expand_inputs(scan)
