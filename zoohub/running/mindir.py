"""A runner over a MINDIR file."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

from zoohub.core.turns import mindspore_turn
from zoohub.errors import CheckpointCorrupt
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.running.batching import in_batches
from zoohub.running.runner import IMAGE, Inputs, Outputs, existing, in_order, row_length
from zoohub.running.tensors import call_network


class MindIRRunner:
    """Runs a MINDIR file, which keeps no names: give them, in order, where they are known.

    Raises:
        DataError: there is no such file.
        CheckpointCorrupt: MindSpore cannot read it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        path = existing(path)
        with mindspore_turn():
            import mindspore
            from mindspore import nn

            warn_if_too_late(limit_onednn())
            try:
                shapes = _shapes(path)
                self._net: Any = nn.GraphCell(mindspore.load(str(path)))
            except Exception as error:  # MindSpore raises RuntimeError, protobuf its own
                raise CheckpointCorrupt(f"{path} is not a readable MINDIR file: {error}") from None
        self.batch = shapes[0][0] if shapes and shapes[0] else None
        self.length = row_length(shapes)
        single = len(shapes) <= 1
        names = (IMAGE,) if single else tuple(f"input_{i}" for i in range(len(shapes)))
        self.inputs = names if inputs is None else tuple(inputs)
        self._outputs = outputs

    def named(self, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> MindIRRunner:
        """The same network under other names; None leaves those that there are."""
        twin = copy(self)
        twin.inputs = self.inputs if inputs is None else tuple(inputs)
        twin._outputs = self._outputs if outputs is None else outputs
        return twin

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`."""
        arrays = in_order(inputs, self.inputs)
        with mindspore_turn():
            return in_batches(
                lambda part: call_network(self._net, part, self._outputs), arrays, self.batch
            )


def _shapes(path: Path) -> list[tuple[int | None, ...]]:
    """The shapes that a MINDIR file was exported for, an input each; None where it takes any."""
    from mindspore.train.mind_ir_pb2 import ModelProto

    model = ModelProto()
    model.ParseFromString(path.read_bytes())
    return [
        tuple(int(size) if size > 0 else None for size in source.tensor[0].dims)
        for source in model.graph.input
    ]
