"""Which of a network's outputs go into a file, and what they are called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore import nn

from zoohub.errors import ExportError
from zoohub.networks.family import Cut, Family
from zoohub.outputs.box_decoding import BoxDecoding
from zoohub.outputs.naming import output_names


class Selected(nn.Cell):
    """Some of a network's outputs, each by its path through nested tuples."""

    def __init__(self, net: nn.Cell, paths: tuple[tuple[int, ...], ...]) -> None:
        super().__init__(auto_prefix=False)  # the parameters keep their names
        self.net = net
        self.paths = paths

    def construct(self, *inputs: Any) -> Any:
        """(inputs) -> the outputs at `paths`."""
        outputs = self.net(*inputs)
        chosen: tuple[Any, ...] = ()
        for path in self.paths:
            part = outputs
            for index in path:
                part = part[index]
            chosen = (*chosen, part)
        return chosen[0] if len(self.paths) == 1 else chosen


@dataclass(frozen=True, slots=True)
class Interface:
    """A network ready to be compiled, the names of its outputs, and how raw maps become boxes
    (None where it has none)."""

    net: nn.Cell
    names: tuple[str, ...]
    decoding: BoxDecoding | None = None


def cut_network(net: nn.Cell, family: Family | None, *, decode: bool) -> Cut:
    """Make a copied network give what is exported; its family says what that is.

    Raises:
        ExportError: `decode=False` for a network whose outputs zoohub cannot leave undecoded.
    """
    cut = family.cut_network(net, decode=decode) if family else Cut(()) if decode else None
    if cut is None:
        raise ExportError("only detectors decode boxes; leave --no-decode (decode=False) out")
    return cut


def choose_outputs(net: nn.Cell, cut: Cut, probe: object) -> Interface:
    """A network that was cut, with those of its outputs that the file should have.

    They have the names of the cut where these fit, else `output`, or `output_0`, …. `probe` is
    what the network returned for a test input.
    """
    paths = _paths(probe)
    one = len(paths) == 1 and len(cut.names) == 1
    # One output in a tuple is not the one that the family names: feature maps, say.
    fit = not one or cut.names[0].endswith("*") or paths == [()]
    names = output_names(len(paths), cut.names if fit else None)
    kept = [i for i, name in enumerate(names) if cut.kept is None or _matches(name, cut.kept)]
    if len(kept) == len(names):
        return Interface(net, names, cut.decoding)
    chosen = Selected(net, tuple(paths[index] for index in kept))
    return Interface(chosen, tuple(names[index] for index in kept), cut.decoding)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(
        name.startswith(p.removesuffix("*")) if p.endswith("*") else name == p for p in patterns
    )


def _paths(probe: object) -> list[tuple[int, ...]]:
    """The way to each output through nested tuples, depth first."""
    if not isinstance(probe, tuple | list):
        return [()]
    return [(index, *path) for index, part in enumerate(probe) for path in _paths(part)]
