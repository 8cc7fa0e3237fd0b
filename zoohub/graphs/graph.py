"""A network as MindSpore compiles it: plain data, read from MINDIR's protobuf."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import mindspore as ms
import numpy as np

from zoohub.core.interrupts import interruptible
from zoohub.errors import ExportError
from zoohub.outputs.form import Array

_log = logging.getLogger(__name__)

# MINDIR's AttributeProto.AttributeType and TensorProto.DataType.
_FLOAT, _STRING, _BOOL, _DOUBLE, _TENSOR, _TENSORS, _TUPLE, _LIST = 1, 8, 9, 11, 17, 19, 20, 21
_INTEGERS = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
_NONE = frozenset({0, 23, 24, 25, 36})
DTYPES: dict[int, type[np.generic]] = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
    13: np.uint64,
    17: np.float64,
}

Proto: TypeAlias = Any  # MINDIR's messages, which have no types
Part: TypeAlias = "tuple[tuple[int | None, ...] | None, str | None]"  # shape, element type
Constant: TypeAlias = Any  # an array, a number, a text, or tuples of these


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: `shape` is its first output's, None for each unknown dimension.

    `dtype` is NumPy's name of its element type, None where it is not known. `parts` are the shape
    and type of each output of an operator that has several.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    shape: tuple[int | None, ...] | None
    dtype: str | None = None
    parts: tuple[Part, ...] = ()


# The `op` of a node that calls a function: its first input is the function.
CALL = "call"


@dataclass(frozen=True, slots=True)
class Function:
    """A graph that others call; it may use their values too, whose names are unique."""

    inputs: tuple[str, ...]
    output: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Operators in order of execution; `constants` and `parameters` by the names inputs use.

    `functions` are graphs that this one calls, by name.
    """

    inputs: tuple[tuple[str, tuple[int | None, ...], str | None], ...]
    output: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, Any]
    parameters: Mapping[str, Array]
    functions: Mapping[str, Function] = field(default_factory=dict)


class _Compiled(Exception):
    """Leaves `mindspore.export` with the compiled model before it writes a file."""


def compile_model(net: ms.nn.Cell, *examples: ms.Tensor) -> Proto:
    """Compile a network for inference: MINDIR's `ModelProto` with the parameters' values in it.

    `examples` are tensors of the inputs' shapes and types; unknown dimensions (None) stay open.
    The network must be the exporter's own copy: compiling leaves traces in it.

    Raises:
        ExportError: MindSpore cannot compile it.
    """
    net.set_train(False)
    # A second compilation of the same shape fails otherwise ("i: 6 out of range").
    net.compile_cache.clear()
    model: Any = None

    def take(compiled: Proto) -> None:
        nonlocal model
        model = compiled
        raise _Compiled

    level = ms.get_context("jit_syntax_level")
    try:
        with interruptible(), contextlib.suppress(_Compiled):
            ms.export(net, *examples, file_name="unwritten", file_format="MINDIR", custom_func=take)
    except Exception as error:  # MindSpore raises whatever its compiler meets
        raise ExportError(
            f"MindSpore cannot compile {type(net).__name__} for export: {first_lines(error)}"
        ) from error
    finally:
        # `mindspore.export` changes this setting and restores it only if nothing is raised.
        ms.set_context(jit_syntax_level=level)
    if model is None:
        raise ExportError(f"MindSpore gave no graph for {type(net).__name__}; report this")
    values = net.parameters_dict()
    for proto in model.graph.parameter:
        proto.raw_data = values[plain_name(proto.name)].data.get_bytes()
    return model


def read_graph(model: Proto) -> Graph:
    """The graph of a `ModelProto` as plain data."""
    primitives = {primitive.name: primitive for primitive in model.primitives}
    constants: dict[str, Constant] = {}
    main, *others = (
        _read_function(proto, primitives, constants) for proto in (model.graph, *model.functions)
    )
    return Graph(
        inputs=tuple(
            (i.name, _shape(i.tensor[0].dims) or (), _dtype(i.tensor[0])) for i in model.graph.input
        ),
        output=main.output,
        nodes=main.nodes,
        constants=constants,
        parameters={p.name: _array(p) for p in model.graph.parameter},
        functions={
            proto.name: function for proto, function in zip(model.functions, others, strict=True)
        },
    )


def _read_function(
    graph: Proto, primitives: Mapping[str, Proto], constants: dict[str, Constant]
) -> Function:
    """A graph's nodes; its constants, which others may use too, go into `constants`."""
    nodes: list[Node] = []
    for proto in graph.node:
        if proto.op_type == "Constant":
            constants[proto.output[0]] = _value(proto.attribute[0])
            continue
        called = proto.op_type.removeprefix("REF::")
        primitive = primitives.get(called)
        parts = _parts(proto)
        nodes.append(
            Node(
                op=primitive.op_type if primitive else CALL,
                name=proto.output[0],
                inputs=tuple(proto.input) if primitive else (called, *proto.input),
                attributes={a.name: _value(a) for a in primitive.attribute} if primitive else {},
                shape=parts[0][0] if parts else None,
                dtype=parts[0][1] if parts else None,
                parts=parts,
            )
        )
    return Function(tuple(i.name for i in graph.input), graph.output[0].name, tuple(nodes))


def plain_name(name: str) -> str:
    """A parameter's own name: MINDIR puts the graph's before it."""
    return name[name.find(":") + 1 :]


def _shape(dims: Iterable[int]) -> tuple[int | None, ...] | None:
    dims = tuple(dims)
    if dims == (-2,):  # not even the rank is known
        return None
    return tuple(int(size) if size >= 0 else None for size in dims)


def _dtype(proto: Proto) -> str | None:
    known = DTYPES.get(proto.data_type)
    return None if known is None else np.dtype(known).name


def _parts(node: Proto) -> tuple[Part, ...]:
    """Shape and type of each of a node's outputs."""
    for attribute in node.attribute:
        if attribute.name == "shape":
            return tuple(_tensors_of(attribute))
    return ()


def _tensors_of(attribute: Proto) -> Iterator[Part]:
    for tensor in attribute.tensors:
        yield _shape(tensor.dims), _dtype(tensor)
    for value in attribute.values:
        yield from _tensors_of(value)


def _array(proto: Proto) -> Array:
    if proto.data_type == 16:
        raise ExportError("bfloat16 parameters: ONNX export takes float32 and float16 networks")
    dtype = DTYPES[proto.data_type]
    return np.frombuffer(proto.raw_data, dtype).reshape(tuple(proto.dims))


def _value(attribute: Proto) -> Constant:
    kind = attribute.type
    if kind == _FLOAT:
        return float(attribute.f)
    if kind == _DOUBLE:
        return float(attribute.d)
    if kind == _BOOL:
        return bool(attribute.i)
    if kind in _INTEGERS:
        # Elements of a tuple keep their value in the repeated field.
        return int(attribute.ints[0]) if len(attribute.ints) else int(attribute.i)
    if kind == _STRING:
        return attribute.s.decode()
    if kind in (_TENSOR, _TENSORS):
        return _array(attribute.tensors[0]) if len(attribute.tensors) else _array(attribute.t)
    if kind in (_TUPLE, _LIST):
        return tuple(_value(item) for item in attribute.values)
    if kind in _NONE:
        return None
    return f"<MINDIR attribute of type {kind}>"


def first_lines(error: Exception) -> str:
    """The part of MindSpore's message before its framework call stack."""
    text = str(error).split("\n\n---")[0].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:3])[:400] or type(error).__name__
