"""What is asked of an export, checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from zoohub.errors import ExportError

GRAPH_FORMATS = ("mindir", "onnx", "air")
WEIGHT_FORMATS = ("safetensors", "pth", "ckpt")
FORMATS = GRAPH_FORMATS + WEIGHT_FORMATS
_SUFFIXES = {f".{name}": name for name in FORMATS} | {".pt": "pth"}


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request; the fields are the options of `plan_export`, settled."""

    path: Path
    format: str
    batch: int
    size: int | tuple[int, int] | None
    dynamic: frozenset[str]
    dtype: str | None
    fold_bn: bool
    check: bool
    decode: bool
    nms: bool
    quantize: str | None
    calibrate: Path | None
    names: str | None


def plan_export(
    path: str | Path,
    *,
    format: str | None = None,
    batch: int = 1,
    size: int | tuple[int, int] | None = None,
    dynamic: Collection[str] = (),
    dtype: str | None = None,
    fold_bn: bool | None = None,
    check: bool = False,
    decode: bool = True,
    nms: bool = False,
    quantize: str | None = None,
    calibrate: str | Path | None = None,
    names: str | None = None,
) -> Request:
    """Settle the defaults of an export and refuse what contradicts itself.

    Args:
        path: the file to write; a suffix is appended if it has none.
        format: `mindir`, `onnx`, `air` (on Ascend), `safetensors`, `pth`, `ckpt`; by default the
            suffix tells.
        batch: inputs at a time; with `batch` in `dynamic`, only what tests begin with.
        size: (height, width) in pixels or one number for both; by default the model's own.
        dynamic: dimensions left open, of `batch`, `height`, `width`.
        dtype: `float16` computes in half precision; inputs and outputs stay float32.
        fold_bn: fold batch norms into the convolutions before them; by default for mindir and
            onnx.
        check: run the file beside the network on seeded inputs of two shapes, and refuse it
            where outputs differ by more than 1e-4 (float16: 2e-2) of their largest value. An INT8
            file is compared but not refused.
        decode: a detector's output `predictions` are decoded boxes (batch, boxes, 5 + classes);
            False gives the raw maps `map_0`, `map_1`, ….
        nms: ONNX: one output `detections` (n, 7): batch index, x1, y1, x2, y2, score, class.
        quantize: ONNX in INT8, `dynamic` or `static`.
        calibrate: for `static`, a folder of pictures such as the network will see.
        names: of parameters in weights files: `torchvision` (the default where torchvision has
            the architecture) or `own`.

    Raises:
        ExportError: an unknown format or value, or options that do not go together.
    """
    path = Path(path)
    settled = format or _SUFFIXES.get(path.suffix.lower())
    if settled is None or settled not in FORMATS:
        asked = f"format {format!r}" if format else f"the suffix of {path.name}"
        raise ExportError(f"{asked} names no export format; choose from {', '.join(FORMATS)}")
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES and _SUFFIXES[suffix] != settled:
        raise ExportError(f"{path.name} would be a {settled} file with the suffix {suffix}")
    if suffix not in _SUFFIXES:
        path = path.with_name(f"{path.name}.{settled}")
    request = Request(
        path=path,
        format=settled,
        batch=batch,
        size=size,
        dynamic=frozenset((dynamic,) if isinstance(dynamic, str) else dynamic),
        dtype=None if dtype == "float32" else dtype,
        fold_bn=settled in ("mindir", "onnx") if fold_bn is None else fold_bn,
        check=check,
        decode=decode,
        nms=nms,
        quantize=quantize,
        calibrate=None if calibrate is None else Path(calibrate),
        names=names,
    )
    problem = _contradiction(request)
    if problem:
        raise ExportError(problem)
    return request


def _contradiction(request: Request) -> str | None:
    """What is wrong with the options together, None if nothing."""
    r = request
    if r.dtype not in (None, "float16"):
        return f"dtype={r.dtype!r}: choose float32 or float16"
    if r.names not in (None, "own", "torchvision"):
        return f"names={r.names!r}: choose own or torchvision"
    if r.format in WEIGHT_FORMATS:
        graph_only = {
            "dynamic": bool(r.dynamic),
            "fold_bn": r.fold_bn,
            "nms": r.nms,
            "quantize": r.quantize is not None,
            "decode=False": not r.decode,
        }
        for option, given in graph_only.items():
            if given:
                return f"{option} needs a graph, and a {r.format} file holds weights only"
        return None
    if r.names is not None:
        return f"names is for weights files ({', '.join(WEIGHT_FORMATS)}), not {r.format}"
    if r.nms and (r.format != "onnx" or not r.decode):
        return "nms is appended to decoded predictions in an onnx file"
    if r.quantize is not None:
        if r.quantize not in ("dynamic", "static"):
            return f"quantize={r.quantize!r}: choose dynamic or static"
        if r.format != "onnx" or r.dtype is not None:
            return "quantize makes INT8 models from float32 onnx files"
    if (r.quantize == "static") != (r.calibrate is not None):
        return "quantize='static' and calibrate=FOLDER (of pictures) go together"
    if r.format == "air" and (r.check or r.dynamic):
        return "an air file can be neither checked here nor have open dimensions"
    return None
