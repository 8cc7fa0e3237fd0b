"""A network that a search asks part by part, as a file for each part."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mindspore import nn

from zoohub.core.turns import mindspore_turn
from zoohub.errors import ExportError
from zoohub.exporting.checking import TOLERANCE, Difference, check_file, largest
from zoohub.exporting.describing import describe
from zoohub.exporting.graph_files import check_libraries
from zoohub.exporting.request import Request
from zoohub.exporting.result import Written
from zoohub.exporting.sequences import check_sequences, in_parts
from zoohub.graphs.folding import copy_network
from zoohub.graphs.inputs import GraphInput, part_inputs
from zoohub.graphs.metadata import Metadata, part_path
from zoohub.graphs.writing import onnx_model, write_mindir
from zoohub.manifest.entry import NetworkSpec
from zoohub.models.provenance import Provenance
from zoohub.networks.families import find_family, has_family
from zoohub.networks.family import Part, Taken
from zoohub.outputs.form import Array

_LENGTHS = (5, 3)  # of open axes, with which a part is compiled and checked, and checked again


@dataclass(frozen=True)
class PartShape:
    """The inputs of a part as a `Shape`: named axes stay open."""

    taken: tuple[Taken, ...]

    @property
    def inputs(self) -> tuple[GraphInput, ...]:
        """See `Shape.inputs`."""
        return part_inputs(self.taken, _LENGTHS[0])

    def tests(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """See `Shape.tests`: ids and masks of 0 and 1, and noise; no two axes are equally long."""
        names = list(dict.fromkeys(a for one in self.taken for a in one.axes if isinstance(a, str)))
        first, second = (
            self._arrays({name: start + place for place, name in enumerate(names)})
            for start in _LENGTHS
        )
        return first, second

    def _arrays(self, lengths: Mapping[str, int]) -> tuple[Array, ...]:
        rng = np.random.default_rng(0)
        arrays: list[Array] = []
        for one in self.taken:
            dims = one.dims(lengths)
            noise = rng.standard_normal(dims)
            whole = np.dtype(one.dtype).kind == "i"
            arrays.append((np.abs(noise) < 1 if whole else noise).astype(one.dtype))
        return tuple(arrays)


def has_parts(provenance: Provenance | None, request: Request) -> bool:
    """Whether a network is exported part by part."""
    spec = provenance.network if provenance else None
    if spec is None or not has_family(spec.builder):
        return False
    return in_parts(find_family(spec.builder), request)


def write_parts(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Written:
    """Write the last part to `partial` and the others beside it, see `part_path`; every named axis
    stays open.

    Raises:
        ExportError: what parts cannot be asked for, or as `write_graph`.
    """
    assert provenance is not None
    assert provenance.network is not None
    family = find_family(provenance.network.builder)
    check_sequences(family, request)
    check_libraries(request)
    with mindspore_turn():
        parts = family.parts_of(copy_network(net))
        last, whole = list(parts)[-1], _digest(net, provenance.network)
        differences: list[Difference] = []
        checking = 0.0
        for name, part in parts.items():
            own = tuple(parts) if name == last else ()
            path = partial if name == last else part_path(partial, name)
            names = tuple(one.name for one in part.inputs)
            metadata = describe(
                provenance, inputs=names, outputs=part.outputs, parts=own, part=name, whole=whole
            )
            shape = PartShape(part.inputs)
            opset = _write(part, shape, metadata, path)
            started = time.perf_counter()
            if request.check:
                differences += _checked(part, path, shape)
            checking += time.perf_counter() - started
    return Written(metadata, differences=tuple(differences), opset=opset, check_seconds=checking)


def _write(part: Part, shape: PartShape, metadata: Metadata, path: Path) -> int | None:
    """Write the file of a part, by its suffix; ONNX's opset."""
    if path.suffix == ".mindir":
        write_mindir(part.net, shape.inputs, metadata, path)
        return None
    from zoohub.graphs.onnx_builder import OPSET

    model = onnx_model(part.net, shape.inputs, part.outputs, metadata)
    path.write_bytes(model.SerializeToString())
    return OPSET


def _digest(net: nn.Cell, spec: NetworkSpec) -> str:
    """What tells a network from all others: its builder, arguments and weights, as SHA-256."""
    digest = hashlib.sha256(repr((spec.builder, sorted(spec.arguments.items()))).encode())
    for name, parameter in sorted(net.parameters_dict().items()):
        array = np.ascontiguousarray(parameter.asnumpy())
        digest.update(repr((name, array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _checked(part: Part, path: Path, shape: PartShape) -> tuple[Difference, ...]:
    found = check_file(path, part.net, part.outputs, shape)
    worst = largest(found)
    if not worst.value <= TOLERANCE:
        raise ExportError(
            f"the exported {worst.output} differs from MindSpore's by {worst.value:.1e} for an "
            f"input {worst.shape} (relative, at most {TOLERANCE:.0e} is allowed), so nothing was "
            "written"
        )
    return found
