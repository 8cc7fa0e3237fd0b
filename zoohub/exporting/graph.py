"""A network as MindSpore compiles it: plain data, read from MINDIR's protobuf."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mindspore as ms
import numpy as np
from numpy.typing import NDArray

from zoohub.errors import ExportError

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

_TOO_LARGE = (1 << 31) - (1 << 24)  # protobuf's 2 GiB, less room for the graph itself


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: `shape` is its first output's, None for each unknown dimension."""

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Graph:
    """Operators in order of execution; `constants` and `parameters` by the names inputs use."""

    inputs: tuple[tuple[str, tuple[int | None, ...]], ...]
    output: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, Any]
    parameters: Mapping[str, NDArray[Any]]


class _Compiled(Exception):
    """Leaves `mindspore.export` with the compiled model before it writes a file."""


def compile_model(net: ms.nn.Cell, example: ms.Tensor) -> Any:
    """Compile a network for inference: MINDIR's `ModelProto` with the parameters' values in it.

    `example` is a tensor of the input's shape and type; its unknown dimensions (None) stay open.
    The network must be the exporter's own copy: compiling leaves traces in it.

    Raises:
        ExportError: MindSpore cannot compile it, or the parameters exceed protobuf's 2 GiB.
    """
    size = sum(parameter.nbytes for parameter in net.get_parameters())
    if size > _TOO_LARGE:
        raise ExportError(
            f"the parameters take {size / 1e9:.1f} GB, and a MINDIR or ONNX file holds at most "
            "2 GiB; choose dtype=float16, or the format safetensors"
        )
    net.set_train(False)
    # A second compilation of the same shape fails otherwise ("i: 6 out of range").
    net.compile_cache.clear()
    model: Any = None

    def take(compiled: Any) -> None:
        nonlocal model
        model = compiled
        raise _Compiled

    level = ms.get_context("jit_syntax_level")
    try:
        with contextlib.suppress(_Compiled):
            ms.export(net, example, file_name="unwritten", file_format="MINDIR", custom_func=take)
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


def read_graph(model: Any) -> Graph:
    """The graph of a `ModelProto` as plain data.

    Raises:
        ExportError: the graph calls other graphs: its control flow depends on its input.
    """
    if len(model.functions):
        raise ExportError(
            "the network's control flow depends on its input (its graph has "
            f"{len(model.functions)} subgraphs), which only MINDIR can hold"
        )
    primitives = {primitive.name: primitive for primitive in model.primitives}
    constants: dict[str, Any] = {}
    nodes: list[Node] = []
    for proto in model.graph.node:
        if proto.op_type == "Constant":
            constants[proto.output[0]] = _value(proto.attribute[0])
            continue
        primitive = primitives[proto.op_type.removeprefix("REF::")]
        shapes = [a for a in proto.attribute if a.name == "shape"]
        nodes.append(
            Node(
                op=primitive.op_type,
                name=proto.output[0],
                inputs=tuple(proto.input),
                attributes={a.name: _value(a) for a in primitive.attribute},
                shape=_shape(shapes[0].tensors[0].dims)
                if shapes and len(shapes[0].tensors) and shapes[0].type == _TENSORS
                else None,
            )
        )
    return Graph(
        inputs=tuple((i.name, _shape(i.tensor[0].dims)) for i in model.graph.input),
        output=model.graph.output[0].name,
        nodes=tuple(nodes),
        constants=constants,
        parameters={p.name: _array(p) for p in model.graph.parameter},
    )


def plain_name(name: str) -> str:
    """A parameter's own name: MINDIR puts the graph's before it."""
    return name[name.find(":") + 1 :]


def _shape(dims: Any) -> tuple[int | None, ...]:
    return tuple(int(size) if size >= 0 else None for size in dims)


def _array(proto: Any) -> NDArray[Any]:
    if proto.data_type == 16:
        raise ExportError("bfloat16 parameters: ONNX export takes float32 and float16 networks")
    dtype = DTYPES[proto.data_type]
    return np.frombuffer(proto.raw_data, dtype).reshape(tuple(proto.dims))


def _value(attribute: Any) -> Any:
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
