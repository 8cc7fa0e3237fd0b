"""onnxruntime's sessions, of files and of graphs that it has optimised for one processor before.

An optimised graph need not be optimised again, and its larger weights are mapped into memory
instead of being read: ResNet-50 is there in 0.04 s instead of 0.5. But onnxruntime arranges weights
by the instructions that a processor has, and computes nonsense from weights arranged for another's:
`optimiser_facts` tell where such a graph is good.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoohub.core.threads import machine_threads
from zoohub.errors import CheckpointCorrupt, ExportError
from zoohub.running.runner import Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

# What /proc/cpuinfo says of a processor's kind, on x86 and on ARM.
_KIND = (
    "vendor_id", "cpu family", "model", "model name", "flags",
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features",
)  # fmt: skip
_ROWS = 2  # that a graph is tried with, where any number will do;
_SIDE, _LENGTH = 64, 8  # and the lengths of a picture's other open axes, and of all else's
_LEAST = 1024  # bytes of weights; smaller ones stay in the graph


@dataclass(frozen=True)
class Optimised:
    """An optimised graph, and the file of its larger weights, which the graph knows by name."""

    graph: bytes
    weights: Path


def open_session(source: str | bytes | Optimised, threads: int | None = None) -> InferenceSession:
    """A session over an ONNX file, one's bytes, or an optimised graph; `threads` compute one batch
    (None: as many as the machine has for us).

    Raises:
        CheckpointCorrupt: onnxruntime cannot read it.
    """
    from onnxruntime import GraphOptimizationLevel

    options = _options(threads)
    if isinstance(source, Optimised):
        options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
        folder = str(source.weights.parent)
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", folder
        )
        return _session(source.graph, options, source.weights.name)
    return _session(source, options, "this" if isinstance(source, bytes) else source)


def optimise(path: Path, graph: Path, weights: Path) -> Optimised:
    """Have the ONNX file at `path` optimised and written as `graph` and `weights`, in one folder,
    and see that it computes exactly what the file does.

    Raises:
        ExportError: this onnxruntime cannot.
        CheckpointCorrupt: it cannot read the file.
    """
    for file in (graph, weights):
        file.unlink(missing_ok=True)  # onnxruntime would write behind what a kill has left
    options = _options()
    options.optimized_model_filepath = str(graph)
    options.log_severity_level = 3  # that the graph is this processor's alone, is known
    for name, value in (("file_name", weights.name), ("min_size_in_bytes", str(_LEAST))):
        options.add_session_config_entry(
            f"session.optimized_model_external_initializers_{name}", value
        )
    plain = _session(str(path), options, str(path))
    if not (graph.is_file() and weights.is_file()):
        raise ExportError("this onnxruntime does not write weights apart from their graph")
    made = Optimised(graph.read_bytes(), weights)
    probe = _probe(plain)
    try:
        found = open_session(made).run(None, probe)
    except Exception as error:  # older ones look for the weights elsewhere
        raise ExportError(f"this onnxruntime does not run what it optimised: {error}") from None
    for one, other in zip(plain.run(None, probe), found, strict=True):
        if not np.array_equal(one, other, equal_nan=True):
            raise ExportError("the optimised graph computes something else")
    return made


def optimiser_facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str] | None:
    """What an optimised graph depends on, its key apart: onnxruntime's version and the processor's
    kind. None where the system (any but Linux) does not tell that."""
    import onnxruntime

    try:
        first = cpuinfo.read_text().partition("\n\n")[0]
    except OSError:
        return None
    lines = (line.partition(":") for line in first.splitlines())
    said = {name.strip(): value.strip() for name, _, value in lines}
    kind = "\n".join(f"{name}: {said[name]}" for name in _KIND if name in said)
    if not kind:
        return None
    processor = hashlib.sha256(kind.encode()).hexdigest()
    return {"onnxruntime": str(onnxruntime.__version__), "processor": processor}


def _options(threads: int | None = None) -> SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = machine_threads() if threads is None else threads
    # Threads that wait for work would keep the processors from those who have some: who reads
    # pictures ahead, and other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _session(source: str | bytes, options: SessionOptions, name: str) -> InferenceSession:
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base but this
        raise CheckpointCorrupt(f"{name} is not a readable ONNX file: {error}") from None


def _probe(session: InferenceSession) -> dict[str, Array]:
    """Inputs that a session takes: any numbers, and the first of all words."""
    rng, probe = np.random.default_rng(0), {}
    for source in session.get_inputs():
        other = _SIDE if len(source.shape) == 4 else _LENGTH
        shape = [
            length if isinstance(length, int) else other if place else _ROWS
            for place, length in enumerate(source.shape)
        ]
        if source.type == "tensor(float)":
            probe[source.name] = rng.random(shape, np.float32)
        else:
            kind = source.type.removeprefix("tensor(").removesuffix(")")
            probe[source.name] = np.zeros(shape, kind)
    return probe
