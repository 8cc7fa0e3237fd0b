"""Batch norms folded into the convolutions before them.

In evaluation a batch norm is a scale and a shift per channel, which the convolution's weights can
take over: y = s·conv(x) + t = conv'(x), s = gamma / sqrt(variance + eps), t = beta - s·mean.
Which convolution feeds which batch norm is seen by running the network once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import mindspore as ms
import numpy as np
from mindspore import nn

from zoohub.core.counting import counted
from zoohub.errors import ExportError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.graphs.graph import first_lines
from zoohub.graphs.lockstep import in_step
from zoohub.outputs.form import Array

# float32 through 150 layers differs by about 1e-6 of the largest output; a pair that should not
# have been folded by 1e-2 or more.
TOLERANCE = 1e-4
# Of a network that computes the same twice.
_SAME = 1e-6

Pair: TypeAlias = tuple[nn.Conv2d, nn.Cell]
Inputs: TypeAlias = Sequence[Array]
Outputs: TypeAlias = Any  # a tensor, or tuples of them


class FoldingError(ExportError):
    """Folding moves a network's outputs by more than rounding, as far as it can be seen."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What was folded: how many pairs, and the largest relative difference it made."""

    pairs: int
    difference: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """A copied network, its outputs for the test input as it returns them, and what was folded."""

    net: nn.Cell
    outputs: Any
    folded: Folded | None


def copy_network(net: nn.Cell) -> nn.Cell:
    """A network of its own cells that shares the parameters of `net`.

    Exporting compiles its network, which leaves traces in the cells; the user's stay untouched.

    Raises:
        ExportError: `net` is a graph read from a MINDIR, not built of cells.
    """
    if isinstance(net, nn.GraphCell):
        raise ExportError(
            "this network was read from a MINDIR file, which is its export already; load the "
            "model from a checkpoint to write it in another format"
        )
    memo: dict[int, Any] = {id(parameter): parameter for parameter in net.get_parameters()}
    provenance = getattr(net, "zoohub", None)
    memo[id(provenance)] = provenance
    twin = copy.deepcopy(net, memo)
    twin.compile_cache.clear()
    twin.set_train(False)
    return twin


def prepare_copy(
    twin: nn.Cell, inputs: Inputs, *, fold: bool, other: Inputs | None = None
) -> Prepared:
    """Make a copied network ready to be compiled: folded if asked, and tried on `inputs`.

    `other` are second inputs, of another size, that the network must take as well.

    Raises:
        ExportError: as `fold_batch_norms`; or the network cannot run on one of the inputs.
    """
    if other is not None:
        _run(twin, other)
    if fold:
        folded, outputs = fold_batch_norms(twin, inputs)
        return Prepared(twin, outputs, folded)
    return Prepared(twin, _run(twin, inputs), None)


def fold_batch_norms(net: nn.Cell, inputs: Inputs) -> tuple[Folded, Outputs]:
    """Fold every batch norm that directly follows a convolution, in place; `net` is a copy.

    Shared parameters are replaced, not written to. `inputs`, in the order of `construct`, are run
    before and after to compare. Also returns the network's outputs for it.

    A convolution whose output is used beside its batch norm, by a shortcut, say, stays as it is.

    Raises:
        FoldingError: the outputs differ by more than rounding. ExportError: they are no finite
            numbers.
    """
    pairs, before = _trace(net, inputs)
    if pairs and _difference(before, before) > 0:
        raise ExportError(
            f"{type(net).__name__} gives infinite numbers or none (NaN), which do not tell whether "
            "folding its batch norms is right, so nothing was written; look after its weights, or "
            "export with --no-fold-bn (fold_bn=False)"
        )
    pairs = _alone(net, inputs, pairs, before)
    if not pairs:
        return Folded(0, 0.0), before
    parents = _parents(net)
    for conv, norm in pairs:
        _absorb(conv, norm)
        for parent, name in parents[id(norm)]:
            replace_cell(parent, name, nn.Identity())
    after = _run(net, inputs)
    difference = _difference(before, after)
    if not difference <= TOLERANCE:
        raise FoldingError(
            f"folding {counted(len(pairs), 'batch norm')} changes the network's output by "
            f"{difference:.1e} (relative, at most {TOLERANCE:.0e} is rounding), so nothing was "
            "written; export with --no-fold-bn (fold_bn=False)"
        )
    return Folded(len(pairs), difference), after


def relative_difference(expected: Array, found: Array) -> float:
    """The largest absolute difference over the largest magnitude expected; inf for other shapes."""
    if expected.shape != found.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    largest = float(np.abs(expected).max())
    if not (np.isfinite(expected).all() and np.isfinite(found).all()):
        return float("inf")
    difference = float(np.abs(expected.astype(np.float64) - found).max())
    return difference / largest if largest else difference


def _run(net: nn.Cell, inputs: Inputs) -> Outputs:
    """A network's outputs as it returns them, in PyNative mode, in which hooks are called."""
    warn_if_too_late(limit_onednn())
    mode = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        with in_step():
            outputs = net(*map(ms.Tensor, inputs))
            for tensor in _tensors(outputs):
                tensor.asnumpy()  # operators run asynchronously: their errors come out here
    except Exception as error:  # MindSpore raises whatever its operators do
        raise ExportError(
            f"{type(net).__name__} cannot run on an input of shape "
            f"{', '.join(str(array.shape) for array in inputs)}: "
            f"{first_lines(error)}"
        ) from error
    finally:
        ms.set_context(mode=mode)
    return outputs


def _difference(before: Outputs, after: Outputs) -> float:
    """The largest relative difference of any output."""
    return max(
        relative_difference(a.asnumpy(), b.asnumpy())
        for a, b in zip(_tensors(before), _tensors(after), strict=True)
    )


def _tensors(outputs: Outputs) -> list[ms.Tensor]:
    if isinstance(outputs, tuple | list):
        return [tensor for output in outputs for tensor in _tensors(output)]
    return [outputs]


def _trace(net: nn.Cell, inputs: Inputs) -> tuple[list[Pair], Outputs]:
    """The (convolution, batch norm) pairs where the one's output is the other's input."""
    made: dict[int, tuple[nn.Conv2d, Any]] = {}  # keeps the tensors, so that ids stay unique
    runs: dict[int, int] = {}
    fed: list[tuple[nn.Conv2d | None, nn.Cell]] = []

    def after_conv(cell: nn.Conv2d, _: object, output: ms.Tensor) -> None:
        runs[id(cell)] = runs.get(id(cell), 0) + 1
        made[id(output)] = (cell, output)

    def after_norm(cell: nn.Cell, arguments: Sequence[ms.Tensor], _: object) -> None:
        runs[id(cell)] = runs.get(id(cell), 0) + 1
        conv, _ = made.get(id(arguments[0]), (None, None))
        fed.append((conv, cell))

    handles = [
        cell.register_forward_hook(after_conv if isinstance(cell, nn.Conv2d) else after_norm)
        for _, cell in net.cells_and_names()
        if isinstance(cell, nn.Conv2d | nn.BatchNorm2d)
    ]
    try:
        outputs = _run(net, inputs)
    finally:
        for handle in handles:
            handle.remove()
    # A cell that runs several times has several partners.
    pairs = [
        (conv, norm)
        for conv, norm in fed
        if conv is not None and runs[id(conv)] == runs[id(norm)] == 1 and _foldable(conv, norm)
    ]
    return pairs, outputs


def _alone(net: nn.Cell, inputs: Inputs, pairs: list[Pair], before: Outputs) -> list[Pair]:
    """Those pairs whose convolution gives its output to its batch norm only.

    Everybody else is given another output: where that changes what the network gives, one of the
    pairs is not alone, and halves of them are tried.
    """
    if not pairs or _difference(before, _run_apart(net, inputs, pairs)) <= _SAME:
        return pairs
    if len(pairs) == 1:
        return []
    middle = len(pairs) // 2
    halves = (pairs[:middle], pairs[middle:])
    return [pair for half in halves for pair in _alone(net, inputs, half, before)]


def _run_apart(net: nn.Cell, inputs: Inputs, pairs: list[Pair]) -> Outputs:
    """The network's outputs where only the batch norms see what their convolutions give."""
    kept: dict[int, ms.Tensor] = {}

    def take(cell: nn.Cell, _: object, output: ms.Tensor) -> ms.Tensor:
        kept[id(cell)] = output
        return 1 - 2 * output

    def give(conv: nn.Cell) -> Callable[[nn.Cell, object], tuple[ms.Tensor]]:
        return lambda _, __: (kept.pop(id(conv)),)

    handles = []
    for conv, norm in pairs:
        handles += [
            conv.register_forward_hook(take),
            norm.register_forward_pre_hook(give(conv)),
        ]
    try:
        return _run(net, inputs)
    finally:
        for handle in handles:
            handle.remove()


def _foldable(conv: nn.Conv2d, norm: nn.Cell) -> bool:
    return conv.data_format == "NCHW" and not norm.use_batch_statistics


def _absorb(conv: nn.Conv2d, norm: nn.Cell) -> None:
    mean, variance, gamma, beta = (
        parameter.asnumpy().astype(np.float64)
        for parameter in (norm.moving_mean, norm.moving_variance, norm.gamma, norm.beta)
    )
    scale = gamma / np.sqrt(variance + norm.eps)
    weight = conv.weight.asnumpy() * scale.reshape(-1, 1, 1, 1)
    bias = (conv.bias.asnumpy() if conv.has_bias else 0.0) - mean
    name = conv.weight.name
    conv.weight = _parameter(weight, name)
    conv.bias = _parameter(beta + bias * scale, name.removesuffix("weight") + "bias")
    conv.has_bias = True


def _parameter(values: Array, name: str) -> ms.Parameter:
    return ms.Parameter(ms.Tensor(values.astype(np.float32)), name=name)


def _parents(net: nn.Cell) -> dict[int, list[tuple[nn.Cell, str]]]:
    parents: dict[int, list[tuple[nn.Cell, str]]] = {}
    for _, parent in net.cells_and_names():
        for name, child in parent._cells.items():
            parents.setdefault(id(child), []).append((parent, name))
    return parents


def replace_cell(parent: nn.Cell, name: str, cell: nn.Cell) -> None:
    """Put `cell` in the place of the child of that name."""
    if isinstance(parent, nn.SequentialCell | nn.CellList):
        parent[list(parent._cells).index(name)] = cell
    else:
        setattr(parent, name, cell)
