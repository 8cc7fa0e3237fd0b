"""What is asked of an export, checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from zoohub.core.paths import expanded
from zoohub.core.values import check_values, unknown, whole
from zoohub.errors import ExportError, UsageError

GRAPH_FORMATS = ("mindir", "onnx", "air")
WEIGHT_FORMATS = ("safetensors", "pth", "ckpt")
FORMATS = GRAPH_FORMATS + WEIGHT_FORMATS
_NEVER_NONE = ("batch", "check", "decode", "nms")
_SUFFIXES = {f".{name}": name for name in FORMATS} | {".pt": "pth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be asked of an export.

    Attributes:
        format: `mindir`, `onnx`, `air` (on Ascend), `safetensors`, `pth`, `ckpt`; by default the
            suffix tells.
        batch: inputs at a time; with `batch` in `dynamic`, only what tests begin with.
        size: (height, width) in pixels or one number for both; by default the model's own.
        length: of the sequences that a network of text takes, in tokens.
        dynamic: dimensions left open, of `batch`, `height`, `width`, or `batch`, `length`.
        dtype: `float16` to compute (and store weights) in half precision.
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
    """

    format: str | None = None
    batch: int = 1
    size: int | tuple[int, int] | None = None
    length: int | None = None
    dynamic: Collection[str] = ()
    dtype: str | None = None
    fold_bn: bool | None = None
    check: bool = False
    decode: bool = True
    nms: bool = False
    quantize: str | None = None
    calibrate: str | Path | None = None
    names: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request; the fields are those of `Options`, settled."""

    path: Path
    format: str
    batch: int
    size: int | tuple[int, int] | None
    length: int | None
    dynamic: frozenset[str]
    dtype: str | None
    fold_bn: bool
    check: bool
    decode: bool
    nms: bool
    quantize: str | None
    calibrate: Path | None
    names: str | None


def plan_export(path: str | Path, **options: Any) -> Request:
    """Settle the defaults of an export and refuse what contradicts itself.

    Args:
        path: the file to write; a suffix is appended if it has none.
        options: the fields of `Options`.

    Raises:
        ExportError: an unknown format or value, or options that do not go together.
        UsageError: an option that `Options` does not have, or a value of the wrong kind.
    """
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            raise UsageError(f"export: {unknown(name, known)}")
    check_values({key: value for key, value in options.items() if key in _NEVER_NONE}, False)
    check_values(options)
    asked = Options(**options)
    _check_size(asked.size)
    path, format = _target(expanded(path), asked.format)
    dynamic = _axes(asked.dynamic)
    request = Request(
        path=path,
        format=format,
        batch=asked.batch,
        size=asked.size,
        length=asked.length,
        dynamic=frozenset(dynamic),
        dtype=None if asked.dtype == "float32" else asked.dtype,
        fold_bn=format in ("mindir", "onnx") if asked.fold_bn is None else asked.fold_bn,
        check=asked.check,
        decode=asked.decode,
        nms=asked.nms,
        quantize=asked.quantize,
        calibrate=None if asked.calibrate is None else expanded(asked.calibrate),
        names=asked.names,
    )
    problem = _contradiction(request)
    if problem:
        raise ExportError(problem)
    return request


def check_apart(request: Request, own: Path | None) -> None:
    """That an export leaves the file alone that its weights come from.

    Raises:
        ExportError: it would be written in its place.
    """
    if own is not None and own.exists() and request.path.exists() and request.path.samefile(own):
        raise ExportError(f"{own} cannot be exported into itself; give another --output (path)")


def _check_size(size: object) -> None:
    """Refuse what is neither a number of pixels nor two."""
    sides = size if isinstance(size, tuple | list) else (size,)
    if size is None or (len(sides) in (1, 2) and all(whole(1)(side) is None for side in sides)):
        return
    raise UsageError(f"size={size!r}: pixels are needed, one number or (height, width)")


def _axes(dynamic: object) -> tuple[str, ...]:
    """The names of the open dimensions."""
    axes = (dynamic,) if isinstance(dynamic, str) else dynamic
    if isinstance(axes, Collection) and all(isinstance(axis, str) for axis in axes):
        return tuple(axes)
    raise UsageError(f"dynamic={dynamic!r}: names of dimensions are needed, such as {{'batch'}}")


def _target(path: Path, format: str | None) -> tuple[Path, str]:
    """The file with its suffix, and its format."""
    settled = format or _SUFFIXES.get(path.suffix.lower())
    if settled is None or settled not in FORMATS:
        asked = f"format {format!r}" if format else f"the suffix of {path.name}"
        raise ExportError(f"{asked} names no export format; choose from {', '.join(FORMATS)}")
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES and _SUFFIXES[suffix] != settled:
        raise ExportError(f"{path.name} would be a {settled} file with the suffix {suffix}")
    if suffix == ".mindir" and path.suffix != suffix:
        raise ExportError(
            f"{path.name}: MindSpore reads no file but {suffix}, in small letters; name it so"
        )
    if suffix not in _SUFFIXES:
        path = path.with_name(f"{path.name}.{settled}")
    return path, settled


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
