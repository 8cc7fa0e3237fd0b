"""INT8 ONNX models through onnxruntime's quantisation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoohub.errors import DataError, ExportError
from zoohub.exporting.request import Request
from zoohub.exporting.shapes import IMAGES, InputShape, Shape
from zoohub.inputs.picture.files import other_files, picture_files
from zoohub.inputs.picture.transforms import Transform
from zoohub.manifest.entry import InputContract

if TYPE_CHECKING:
    from onnxruntime.quantization import CalibrationDataReader

KINDS = ("dynamic", "static")
CALIBRATION_PICTURES = 128

# Convolutions and products hold nearly all the work; a detector's boxes, in pixels, would not
# survive 8 bits.
_OPERATORS = ["Conv", "Gemm", "MatMul"]


def quantize_file(
    source: Path,
    target: Path,
    request: Request,
    *,
    shape: Shape,
    contract: InputContract | None,
) -> None:
    """Write an 8-bit version of the ONNX file `source` to `target`.

    `request.quantize` says how: `dynamic` stores 8-bit weights and measures the activations' ranges
    at each run; `static` takes their ranges from up to 128 pictures of the folder
    `request.calibrate` (an even choice from the sorted names, subfolders included). Weights are per
    channel in 7 bits, which cannot overflow the 16-bit sums of processors without VNNI.

    Raises:
        ExportError: onnxruntime cannot quantise the model.
        DataError: the folder has no pictures, or the input contract is incomplete.
    """
    from onnxruntime import quantization

    settings: dict[str, Any] = {"op_types_to_quantize": _OPERATORS, "per_channel": True}
    # Its advice to preprocess the model is for graphs with batch norms and constants unfolded.
    try:
        with _quiet():
            if request.quantize == "dynamic":
                # onnxruntime's integer convolution takes unsigned weights only.
                quantization.quantize_dynamic(
                    source, target, weight_type=quantization.QuantType.QUInt8, **settings
                )
                return
            assert request.calibrate is not None
            quantization.quantize_static(
                source,
                target,
                _reader(request.calibrate, shape, contract),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                reduce_range=True,
                **settings,
            )
    except DataError:
        raise
    except Exception as error:  # onnxruntime's errors share no base but this
        raise ExportError(f"onnxruntime cannot quantise the model: {error}") from error


def calibration_pictures(folder: Path, count: int = CALIBRATION_PICTURES) -> tuple[Path, ...]:
    """At most `count` pictures under a folder, spread evenly over the sorted names.

    Raises:
        DataError: there is none.
    """
    found = picture_files(folder)
    if not found:
        raise DataError(
            f"no pictures to calibrate with under {folder}: found {other_files(folder)}"
        )
    if len(found) <= count:
        return tuple(found)
    return tuple(found[round(i * (len(found) - 1) / (count - 1))] for i in range(count))


def _reader(folder: Path, shape: Shape, contract: InputContract | None) -> CalibrationDataReader:
    from dataclasses import replace

    from onnxruntime.quantization import CalibrationDataReader

    if contract is None or not isinstance(shape, InputShape):
        raise DataError("the index does not know how this network's input is made")
    batch = shape.batch
    transform = Transform(replace(contract, size=(shape.height, shape.width)))
    pictures = iter(calibration_pictures(folder))

    class Pictures(CalibrationDataReader):
        def get_next(self) -> dict[str, Any] | None:
            path = next(pictures, None)
            if path is None:
                return None
            # A fixed batch is filled with copies.
            return {IMAGES: np.repeat(transform(path)[None], batch, axis=0)}

    return Pictures()


@contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
