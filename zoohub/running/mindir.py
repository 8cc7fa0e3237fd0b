"""A runner over a MINDIR file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoohub.core.turns import mindspore_turn
from zoohub.errors import CheckpointCorrupt
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.running.batching import in_batches
from zoohub.running.runner import IMAGE, Inputs, Outputs, existing, in_order
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
                batches = _first_axes(path)
                self._net: Any = nn.GraphCell(mindspore.load(str(path)))
            except Exception as error:  # MindSpore raises RuntimeError, protobuf its own
                raise CheckpointCorrupt(f"{path} is not a readable MINDIR file: {error}") from None
        self.batch = batches[0] if batches else None
        single = len(batches) <= 1
        names = (IMAGE,) if single else tuple(f"input_{i}" for i in range(len(batches)))
        self.inputs = names if inputs is None else tuple(inputs)
        self._outputs = outputs

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`."""
        arrays = in_order(inputs, self.inputs)
        with mindspore_turn():
            return in_batches(
                lambda part: call_network(self._net, part, self._outputs), arrays, self.batch
            )


def _first_axes(path: Path) -> list[int | None]:
    """The batch a MINDIR file was exported for, an input; None where it takes any."""
    from mindspore.train.mind_ir_pb2 import ModelProto

    model = ModelProto()
    model.ParseFromString(path.read_bytes())
    shapes = [source.tensor[0].dims for source in model.graph.input]
    return [int(shape[0]) if len(shape) and shape[0] > 0 else None for shape in shapes]
