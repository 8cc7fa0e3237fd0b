"""A network's parameters written as a weights file, under its own or PyTorch's names."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn

from zoohub.checkpoint import load_weights, write_ckpt, write_pth, write_safetensors
from zoohub.checkpoint.pth import PTH_MEMBER
from zoohub.errors import ExportError
from zoohub.exporting.checking import Difference
from zoohub.exporting.describing import describe
from zoohub.exporting.request import Request
from zoohub.exporting.result import Written
from zoohub.models.provenance import Provenance
from zoohub.networks.families import find_family
from zoohub.outputs.form import Array


def write_network(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Written:
    """Write a network's parameters to `partial`, as `request` says.

    Raises:
        ExportError: torchvision's names are asked for and it has no such network; with `check`, the
            file does not hold what was written.
    """
    arrays = arrays_of(net, request.dtype)
    spec = provenance.network if provenance else None
    family = find_family(spec.builder) if spec else None
    naming = family.torchvision if family else None
    scheme = "own"
    notes: list[str | None] = [_kept_wide(arrays, request.dtype)]
    if request.names != "own" and request.format != "ckpt":
        renamed = naming.translate(arrays) if naming else None
        if renamed is not None:
            arrays = {renamed[name]: array for name, array in arrays.items()}
            scheme = "torchvision"
            difference = family.torchvision_difference if family else None
            notes += [difference(spec.arguments)] if spec and difference else []
        elif request.names == "torchvision":
            what = family.name if family else "this network"
            raise ExportError(
                f"torchvision has no network with the parameters of {what}; export with names='own'"
            )
    note = "; ".join(text for text in notes if text)
    metadata = describe(provenance, parameters=scheme, note=note or None)
    write_weights(partial, arrays, request.format, metadata.to_strings())
    if not request.check:
        return Written(metadata)
    started = time.perf_counter()
    exact = arrays_of(net)
    differences = check_weights(partial, arrays, exact.values())
    return Written(metadata, differences=differences, check_seconds=time.perf_counter() - started)


def check_weights(
    path: Path, written: Mapping[str, Array], exact: Iterable[Array]
) -> tuple[Difference, ...]:
    """Read a weights file again and compare it with what was written, and with the network.

    `exact` are the network's own parameters in the order of `written`; they differ from them where
    another dtype was asked for.

    Raises:
        ExportError: the file does not hold what was written, bit for bit.
    """
    read = load_weights(path)
    for name, array in written.items():
        if name not in read or not _same_bits(read[name], array):
            raise ExportError(f"{path.name} does not hold {name} as it was written; export again")
    pairs = [(read[name], value) for name, value in zip(written, exact, strict=True)]
    return tuple(
        Difference(name, got.shape, _distance(got, value))
        for name, (got, value) in zip(written, pairs, strict=True)
    )


def _same_bits(one: Array, other: Array) -> bool:
    return (one.dtype, one.shape) == (other.dtype, other.shape) and bool(
        one.tobytes() == other.tobytes()
    )


def _distance(got: Array, value: Array) -> float:
    """The largest absolute difference over the largest magnitude, of the finite values; 0 where
    there are none."""
    finite = np.isfinite(value)
    if value.dtype.kind != "f" or not finite.any():
        return 0.0
    wide = value[finite].astype(np.float64)
    apart = float(np.abs(got[finite].astype(np.float64) - wide).max())
    return apart / (float(np.abs(wide).max()) or 1.0)


def arrays_of(net: nn.Cell, dtype: str | None = None) -> dict[str, Array]:
    """A network's parameters by name; floats in `dtype` (`float16`, `float32`) if given, but for
    those that it has no room for, such as a batch norm's variance above 65504."""
    arrays: dict[str, Array] = {}
    for parameter in net.get_parameters():
        value = parameter.float() if parameter.dtype == ms.bfloat16 else parameter
        array = value.asnumpy()
        if dtype is not None and array.dtype.kind == "f":
            array = _narrowed(array, np.dtype(dtype))
        arrays[parameter.name] = array
    return arrays


def _narrowed(array: Array, dtype: np.dtype[Any]) -> Array:
    with np.errstate(over="ignore"):
        narrow = array.astype(dtype)
    return array if (np.isinf(narrow) & np.isfinite(array)).any() else narrow


def _kept_wide(arrays: Mapping[str, Array], dtype: str | None) -> str | None:
    """Which parameters are in another type than was asked for."""
    if dtype is None:
        return None
    wide = [name for name, a in arrays.items() if a.dtype.kind == "f" and a.dtype != dtype]
    if not wide:
        return None
    which = f"{wide[0]} is" if len(wide) == 1 else f"{wide[0]} and {len(wide) - 1} more are"
    return f"{which} too large for {dtype} and not converted"


def write_weights(
    path: Path, arrays: Mapping[str, Array], format: str, metadata: Mapping[str, str]
) -> None:
    """Write arrays with the metadata in the file."""
    if format == "safetensors":
        write_safetensors(path, arrays, metadata={"format": "np", **metadata})
    elif format == "ckpt":
        write_ckpt(path, arrays)
    else:
        write_pth(path, arrays)
        add_pth_metadata(path, metadata)


def add_pth_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Append the metadata as a member that `torch.load` passes over."""
    member = zipfile.ZipInfo(f"archive/{PTH_MEMBER}")  # its date is fixed: equal bytes each time
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, json.dumps(dict(metadata), ensure_ascii=False))
