"""Which of a network's outputs go into the file, and what they are called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore import nn

from zoohub.errors import ExportError
from zoohub.inference.predict import DETECTION
from zoohub.inference.runner import Array
from zoohub.networks.detection.decoding import BoxDecoding


class Selected(nn.Cell):
    """One of a network's outputs, by its place among them."""

    def __init__(self, net: nn.Cell, index: int) -> None:
        super().__init__(auto_prefix=False)  # the parameters keep their names
        self.net = net
        self.index = index

    def construct(self, x: Any) -> Any:
        """(inputs) -> the output at `index`."""
        return self.net(x)[self.index]


@dataclass(frozen=True, slots=True)
class Interface:
    """A network ready to be compiled, the names of its outputs, and how raw maps become boxes
    (None where it has none)."""

    net: nn.Cell
    names: tuple[str, ...]
    decoding: BoxDecoding | None = None


def choose_outputs(net: nn.Cell, task: str | None, probe: Any, *, decode: bool) -> Interface:
    """Cut a network's outputs down to what the file should have; `net` is a copy.

    A classifier's output is `logits`. A detector's are `predictions`, decoded boxes, or without
    `decode`, or where the network itself was built without it, the raw maps, `map_0`, `map_1`, …,
    before sigmoid and anchors. Any other network's are `output`, or `output_0`, …. `probe` is what
    the network returned for a test input.

    Raises:
        ExportError: `decode=False` for a network whose boxes zoohub cannot leave undecoded.
    """
    if task != DETECTION:
        if not decode:
            raise ExportError("only detectors decode boxes; leave --no-decode (decode=False) out")
        single = not isinstance(probe, tuple | list)
        stem = "logits" if task == "image-classification" and single else "output"
        return Interface(net, _numbered(stem, probe))
    heads = [cell for _, cell in net.cells_and_names() if hasattr(cell, "box_decoding")]
    decoding = heads[0].box_decoding() if heads else None
    paired = isinstance(probe, tuple) and len(probe) == 2 and isinstance(probe[1], tuple)
    if decode and (not heads or heads[0].decodes):
        if paired:
            return Interface(Selected(net, 0), ("predictions",))
        return Interface(net, _numbered("predictions", probe))
    if not heads:
        raise ExportError(f"{type(net).__name__} has no decoding that could be left out")
    heads[0].decodes = False
    return Interface(net, _numbered("map", probe[1] if paired else probe), decoding)


def split_boxes(name: str, output: Array) -> tuple[Array, ...]:
    """An output in parts of one unit each: boxes, in pixels, would drown the scores' errors."""
    if name.startswith("predictions"):
        return output[..., :4], output[..., 4:]
    return (output,)


def _numbered(stem: str, probe: Any) -> tuple[str, ...]:
    if not isinstance(probe, tuple | list):
        return (stem,)
    count = _count(probe)
    return (stem,) if count == 1 else tuple(f"{stem}_{index}" for index in range(count))


def _count(probe: Any) -> int:
    return sum(map(_count, probe)) if isinstance(probe, tuple | list) else 1
