from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.exporting import export_with_report, read_metadata
from zoohub.exporting.quantizing import calibration_pictures
from zoohub.running import open_runner

DATA = Path(__file__).parents[2] / "zoohub" / "_data" / "digits"


def test_pictures_are_chosen_evenly_and_always_the_same(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for number in range(10):
        (tmp_path / "sub" / f"{number}.png").touch()
    (tmp_path / "notes.txt").touch()
    chosen = calibration_pictures(tmp_path, 4)
    assert [path.name for path in chosen] == ["0.png", "3.png", "6.png", "9.png"]
    assert len(calibration_pictures(tmp_path, 100)) == 10


def test_a_folder_without_pictures_cannot_calibrate(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures"):
        calibration_pictures(tmp_path)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_an_int8_model_is_smaller_and_reads_the_digits_alike(
    kind: str, digits: Any, tmp_path: Path, onnxruntime: Any
) -> None:
    from zoohub.inputs.picture import Transform

    whole = export_with_report(digits, tmp_path / "whole.onnx", dynamic={"batch"})
    small = export_with_report(
        digits,
        tmp_path / "small.onnx",
        dynamic={"batch"},
        quantize=kind,
        calibrate=DATA if kind == "static" else None,
        check=True,
    )
    assert small.size < 0.5 * whole.size
    assert small.difference is not None
    assert 1e-4 < small.difference.value < 0.5
    assert read_metadata(small.path) == whole.metadata
    transform = Transform(digits.zoohub.input)
    inputs = np.stack([transform(path) for path in sorted(DATA.glob("digit-*.png"))])
    read = [open_runner(e.path).run({"image": inputs})["logits"].argmax(1) for e in (whole, small)]
    assert (read[0] == read[1]).all()
