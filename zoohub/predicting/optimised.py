"""A compiled form opened fast: as onnxruntime optimised it for this machine, which is kept too."""

from __future__ import annotations

import base64
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zoohub.core.notes import note
from zoohub.errors import CheckpointCorrupt, ExportError, ZoohubError
from zoohub.running import OnnxRunner
from zoohub.running.sessions import Optimised, optimise, optimiser_facts
from zoohub.store import Store
from zoohub.store.compiled import (
    CompiledRecord,
    compiled_key,
    forget_compiled,
    form_path,
    publish_compiled,
    read_compiled,
    refuse_compiled,
)
from zoohub.store.files import unlink

FORMAT = "optimised"
WORTH = 4 << 20  # bytes of a form: a smaller one is there at once
_GRAPH = "graph"


def open_form(
    store: Store, record: CompiledRecord, path: Path, inputs: Sequence[str] | None
) -> OnnxRunner:
    """The runner of the compiled form at `path`, of which the store says `record`, with these names
    of its inputs (None: its own).

    As it is optimised for this machine, where it is, or can be made so: not where the form is
    small, the processor is not known, or the store has no room or cannot be written to.

    Raises:
        CheckpointCorrupt: onnxruntime cannot read it.
    """
    facts = optimiser_facts() if path.stat().st_size >= WORTH else None
    if facts is None:
        return OnnxRunner(path, inputs=inputs)
    key = compiled_key({"optimised": record.sha256, **facts})
    optimised = _find(store, record, path, key)
    if optimised is not None:
        try:
            return OnnxRunner(optimised, inputs=inputs)
        except CheckpointCorrupt as error:
            forget_compiled(store, key)
            note(f"what was optimised of {record.name} is damaged, and made again ({error})")
    return OnnxRunner(path, inputs=inputs)


def _find(store: Store, record: CompiledRecord, path: Path, key: str) -> Optimised | None:
    known = read_compiled(store, key)
    if known is None or (known.refused is None and form_path(store, known) is None):
        known = _made(store, key, replace(record, format=FORMAT, sha256=None, said={}), path)
    weights = form_path(store, known) if known is not None else None
    if known is None or weights is None:
        return None
    try:
        graph = base64.b64decode(known.said.get(_GRAPH, ""), validate=True)
    except ValueError:
        forget_compiled(store, key)
        note(f"what was optimised of {record.name} is damaged, and made again")
        return None
    return Optimised(graph.replace(key.encode(), weights.name[: len(key)].encode()), weights)


def _made(store: Store, key: str, record: CompiledRecord, path: Path) -> CompiledRecord | None:
    """The record of the optimised form, which is made; None where it cannot be kept."""
    folder = store.layout.partial
    # The graph is to find its weights under their hash; before that is known, by the key, which is
    # as long, so that one can take the other's place.
    graph, weights = folder / f"{key}.graph", folder / f"{key}.{FORMAT}"

    def make() -> tuple[mmap.mmap, Mapping[str, str]]:
        try:
            made = optimise(path, graph, weights)
            with weights.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        finally:
            for written in (graph, weights):
                unlink(written)
        return content, {_GRAPH: base64.b64encode(made.graph).decode()}

    try:
        store.prepare()
        if store.free() < 3 * path.stat().st_size:
            return None
        return publish_compiled(store, key, record, make, note)
    except ExportError as error:  # it would be so again
        refuse_compiled(store, key, replace(record, refused=str(error)))
    except (ZoohubError, OSError):  # no room, or not ours to write: the form itself will do
        pass
    return None
