"""A runner over a Cell in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from zoohub.core.interrupts import interruptible
from zoohub.core.turns import mindspore_turn
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.graphs.lockstep import in_step
from zoohub.running.batching import cut, fill, rows
from zoohub.running.runner import IMAGE, Inputs, Mode, Outputs, in_order
from zoohub.running.tensors import call_network

if TYPE_CHECKING:
    from mindspore import nn


class CellRunner:
    """Runs an `nn.Cell`.

    `mode` is `graph` (compiled at the first batch), `pynative`, or None for the process's own.
    In graph mode a batch shorter than the longest before it is filled up, because every other
    length would be compiled anew; not where the cell says which axes are of any length
    (`Cell.set_inputs`). The cell is put into evaluation mode.

    `inputs` are the names of what its `construct` takes, in order; `outputs` those of what it
    returns, flattened, as `output_names` takes them.
    """

    def __init__(
        self,
        net: nn.Cell,
        mode: Mode | None = None,
        *,
        inputs: Sequence[str] = (IMAGE,),
        outputs: Sequence[str] | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self._outputs = None if outputs is None else tuple(outputs)
        self.net = net
        self._mode = mode
        self._longest = 0

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`."""
        arrays = in_order(inputs, self.inputs)
        wanted = rows(arrays)
        with mindspore_turn(), interruptible():
            warn_if_too_late(limit_onednn())
            self.net.set_train(False)
            with _mode(self._mode) as compiles:
                if compiles and self.net.get_inputs() is None:
                    self._longest = max(self._longest, wanted)
                    arrays = fill(arrays, self._longest)
                with nullcontext() if compiles else in_step():
                    found = call_network(self.net, arrays, self._outputs)
        return {name: cut(array, rows(arrays), wanted) for name, array in found.items()}


@contextmanager
def _mode(asked: Mode | None) -> Iterator[bool]:
    """Set MindSpore's mode while the block lasts; whether it compiles graphs."""
    import mindspore

    before = mindspore.get_context("mode")
    names = {"graph": mindspore.GRAPH_MODE, "pynative": mindspore.PYNATIVE_MODE}
    mode = before if asked is None else names[asked]
    if mode == before:
        yield mode == mindspore.GRAPH_MODE
        return
    mindspore.set_context(mode=mode)
    try:
        yield mode == mindspore.GRAPH_MODE
    finally:
        mindspore.set_context(mode=before)
