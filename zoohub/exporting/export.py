"""`export_network`: a network written in another format, checked before it appears."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from mindspore import nn

from zoohub.core.atomic import folder_beside, remove_leftovers
from zoohub.errors import ExportError, UsageError
from zoohub.exporting.graph_files import write_graph
from zoohub.exporting.parts import has_parts, write_parts
from zoohub.exporting.request import WEIGHT_FORMATS, plan_export
from zoohub.exporting.result import Export
from zoohub.exporting.weights import write_network
from zoohub.models.provenance import Provenance


def export_network(net: nn.Cell, path: str | Path, **options: Any) -> Path:
    """Write a network in another format; see `export_with_report`."""
    return export_with_report(net, path, **options).path


def export_with_report(net: nn.Cell, path: str | Path, **options: Any) -> Export:
    """Write a network as it is in evaluation mode; `net` itself is not changed.

    The file appears whole or not at all, and with `check` only if it computes the same.

    Args:
        net: from `zoohub.load`, or any `nn.Cell` (then give `size`).
        path: the file to write; a suffix is appended if it has none.
        options: those of `plan_export`.

    Returns:
        The path and what is known of the file.

    Raises:
        ExportError: the request contradicts itself, MindSpore or the format cannot hold the
            network, a library is missing, the check fails, or the file cannot be written.
        UsageError: an option that `plan_export` does not have, or no network.
    """
    started = time.perf_counter()
    request = plan_export(path, **options)
    if not isinstance(net, nn.Cell):
        raise UsageError(f"a {type(net).__name__} is no network: an nn.Cell is needed")
    provenance: Provenance | None = getattr(net, "zoohub", None)
    write = write_network if request.format in WEIGHT_FORMATS else write_graph
    if has_parts(provenance, request):
        write = write_parts
    with _publishing(request.path) as partial:
        written = write(net, provenance, request, partial)
        size = partial.stat().st_size
    return Export(
        path=request.path,
        format=request.format,
        size=size,
        seconds=time.perf_counter() - started - written.check_seconds,
        **{field.name: getattr(written, field.name) for field in fields(written)},
    )


@contextmanager
def _publishing(path: Path) -> Iterator[Path]:
    """A file of the same name in a folder beside `path`; moved there when the block succeeds."""
    _check_place(path)  # before the work
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        with folder_beside(path) as folder:
            partial = folder / path.name
            yield partial
            parts = [  # further ones of the network
                other
                for other in sorted(folder.glob(f"*{path.suffix}"))
                if other.name.startswith(f"{path.stem}.") and other != partial
            ]
            for other in parts:
                _check_place(path.with_name(other.name))  # before any is put there
            for file in (*parts, partial):  # the last is there once all are
                file.replace(path.with_name(file.name))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        target = error.filename2 or path  # the part's that could not be put there
        raise ExportError(f"cannot write {target}: {reason}; nothing was left there") from error


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise ExportError(f"{path} is a folder; name a file in it")
