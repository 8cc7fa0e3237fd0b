"""A network with its weights as ONNX for this machine: the compiled form that the engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mindspore import nn

from zoohub.graphs.choosing import choose_outputs, cut_network
from zoohub.graphs.folding import FoldingError, Prepared, copy_network, prepare_copy
from zoohub.graphs.inputs import GraphInput, part_inputs
from zoohub.graphs.metadata import Metadata
from zoohub.graphs.writing import onnx_model
from zoohub.manifest.entry import InputContract
from zoohub.networks.family import Cut, Family
from zoohub.outputs.form import Array


@dataclass(frozen=True)
class CompiledForm:
    """An ONNX model's bytes, and what it says of itself (`outputs`: those it has, in order);
    the axes, besides the batch, that may have any length."""

    model: bytes
    metadata: Metadata
    open_axes: tuple[int, ...] = ()


def compile_form(
    net: nn.Cell, family: Family, inputs: Mapping[str, Array], metadata: Metadata
) -> CompiledForm:
    """The network as it is in evaluation mode: batch norms folded where that is no more than
    rounding, any number of rows at a time,
    texts of any length, pictures of any size or width where that follows from the picture.

    Args:
        net: built by `family`; it is not changed.
        inputs: a batch of what it takes, by its own names; the rows' shapes are what the form
            takes, but for axes that are open.
        metadata: what is known of the network; `outputs` and `decoding` are put in.

    Raises:
        ExportError: MindSpore cannot compile the network, or ONNX cannot hold it.
    """
    first = tuple(inputs[name][:1] for name in family.inputs)
    try:
        cut, prepared = _prepared(net, family, first, fold=True)
    except FoldingError:  # a steep end, such as a text detector's, makes much of rounding
        cut, prepared = _prepared(net, family, first, fold=False)
    interface = choose_outputs(prepared.net, cut, prepared.outputs)
    said = replace(metadata, outputs=interface.names, decoding=interface.decoding)
    axes = _axes(metadata.input)
    sources = [
        GraphInput(name, array.shape, axes, array.dtype.name)
        for name, array in zip(family.inputs, first, strict=True)
    ]
    model = onnx_model(interface.net, sources, interface.names, said)
    return CompiledForm(model.SerializeToString(), said, tuple(axes)[1:])


def compile_part(net: nn.Cell, family: Family, name: str, metadata: Metadata) -> CompiledForm:
    """The part called `name` of the network; its named axes may have any length.

    Args:
        net: built by `family`; it is not changed.
        name: of the part.
        metadata: what is known of the network; `outputs` is put in.

    Raises:
        As `compile_form`.
    """
    part = family.parts_of(copy_network(net))[name]
    said = replace(metadata, outputs=part.outputs)
    model = onnx_model(part.net, part_inputs(part.inputs), part.outputs, said)
    return CompiledForm(model.SerializeToString(), said)


def _prepared(
    net: nn.Cell, family: Family, inputs: tuple[Array, ...], *, fold: bool
) -> tuple[Cut, Prepared]:
    twin = copy_network(net)
    cut = cut_network(twin, family, decode=True)
    return cut, prepare_copy(twin, inputs, fold=fold)


def _axes(contract: InputContract | None) -> dict[int, str]:
    """The axes of an input that may have any length, by their place."""
    if contract is None:
        return {0: "batch"}
    places = {
        "batch": 0,
        "length": 1,
        "height": contract.layout.index("H"),
        "width": contract.layout.index("W"),
    }
    return {places[axis]: axis for axis in contract.open_axes}
