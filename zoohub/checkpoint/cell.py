"""The bridge to MindSpore: a network's table of parameters, and a plan applied to it."""

from __future__ import annotations

from collections.abc import Mapping

import mindspore as ms
import numpy as np
from mindspore.common import np_dtype

from zoohub.checkpoint.channels import adapt_channels
from zoohub.checkpoint.dtypes import TYPES, narrow_bfloat16, widen_bfloat16
from zoohub.checkpoint.planning import Assignment, Plan
from zoohub.checkpoint.position_tables import resize_table
from zoohub.checkpoint.weights import Array, TensorInfo, Weights
from zoohub.errors import CheckpointMismatch
from zoohub.framework import version_tuple

# MindSpore's name of an element type, lower-cased, is ours, but for packed integers.
_NAMES = {str(t.ckpt).lower(): t.name for t in TYPES.values() if t.ckpt}

# MindSpore 2.7 refuses arrays that are not aligned to their elements; 2.8 and newer take them.
_TAKES_UNALIGNED = version_tuple(ms.__version__) >= (2, 8)


def table_of(net: ms.nn.Cell) -> dict[str, TensorInfo]:
    """A network's parameters in order: name to shape and element type."""
    types: dict[ms.Type, str] = {}  # to ours: a text is made of each type once
    table: dict[str, TensorInfo] = {}
    for parameter in net.get_parameters():
        dtype = parameter.dtype
        if dtype not in types:
            text = str(dtype).lower()
            types[dtype] = _NAMES.get(text, text)
        table[parameter.name] = TensorInfo(parameter.shape, types[dtype])
    return table


def apply_plan(net: ms.nn.Cell, plan: Plan, weights: Weights) -> None:
    """Give the network's parameters the values planned for them: all of them or none.

    Parameters take over the views of the mapped file without a copy, whatever their alignment:
    memory is read from the file when first used, and copied page by page when training writes to
    it; the file never changes. The map lives as long as a parameter uses it. Copied are only
    converted element types, tensors that the file itself splits or shares between names, data not
    aligned to its elements under MindSpore 2.7, and everything where `weights` was put into
    another network before (two networks must not train on the same memory). Parameters in
    `plan.fresh` are initialised here, if construction did not.

    Raises:
        CheckpointMismatch: a value does not survive its conversion to a smaller type, or the
            network is not the one the plan was made for. The network is unchanged.
    """
    parameters = {p.name: p for p in net.get_parameters()}
    exclusive = weights.claim()
    # All that can fail comes first; below, only assignments follow.
    values = {
        a.name: _value(a, weights, parameters[a.name].shape, exclusive=exclusive)
        for a in plan.assignments
        if a.name in parameters
    }
    _check_network(parameters, values, plan)
    for name in plan.fresh:
        parameters[name].init_data()
    for name, value in values.items():
        parameter = parameters[name]
        parameter.set_data(value)
        # Else pickling and copying would draw the initial value again instead of keeping this one.
        parameter.init_mode = None


def _check_network(
    parameters: Mapping[str, ms.Parameter], values: Mapping[str, ms.Tensor], plan: Plan
) -> None:
    planned = {*values, *plan.fresh}
    if planned != parameters.keys():
        odd = sorted(planned ^ parameters.keys())[:10]
        raise CheckpointMismatch(f"the plan was made for another network: {', '.join(odd)} differ")
    for name, value in values.items():
        parameter = parameters[name]
        if value.shape != parameter.shape or value.dtype != parameter.dtype:
            raise CheckpointMismatch(f"the plan was made for another network: {name!r} differs")


def _value(
    assignment: Assignment, weights: Weights, shape: tuple[int, ...], *, exclusive: bool
) -> ms.Tensor:
    array = weights.raw(assignment.source)
    if not (exclusive and weights.owned(assignment.source)):
        array = array.copy(order="C")
    given = kind = weights.info(assignment.source).dtype
    if assignment.channels is not None or assignment.table is not None:
        array, kind = _adapted(array, kind, shape, assignment)
    if assignment.cast or kind != given:
        array = _converted(array, kind, assignment)
    if not (_TAKES_UNALIGNED or array.flags.aligned):
        array = array.copy()
    if assignment.dtype == "bfloat16":
        array = array.view(np_dtype.bfloat16)
    return ms.Tensor.from_numpy(array)


def _adapted(
    array: Array, kind: str, shape: tuple[int, ...], assignment: Assignment
) -> tuple[Array, str]:
    """The array for the input channels or the picture's size asked for, and its element type."""
    wide = widen_bfloat16(array) if kind == "bfloat16" else array
    if assignment.table is not None:
        found: Array = np.ascontiguousarray(resize_table(wide, shape, assignment.table))
    else:
        assert assignment.channels is not None
        found = adapt_channels(wide, shape, assignment.channels)
    return found, wide.dtype.name


def _converted(array: Array, kind: str, assignment: Assignment) -> Array:
    """The array in the network's element type (bfloat16 as bits)."""
    values = widen_bfloat16(array) if kind == "bfloat16" else array
    if assignment.dtype == "bfloat16":
        return narrow_bfloat16(values)
    with np.errstate(over="ignore"):
        result = values.astype(TYPES[assignment.dtype].storage)
    if np.issubdtype(result.dtype, np.integer):
        exact = np.array_equal(result, values)
    else:
        exact = bool((np.isfinite(result) == np.isfinite(values)).all())
    if not exact:
        raise CheckpointMismatch(
            f"{assignment.source!r} has values ({kind}) that {assignment.dtype} cannot hold"
        )
    return result
