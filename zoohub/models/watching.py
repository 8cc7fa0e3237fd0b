"""Whether a network is still as it was when it was loaded: its head, and its first convolution."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from zoohub.checkpoint.layout import has_prefix
from zoohub.core.counting import counted
from zoohub.manifest.entry import InputContract

if TYPE_CHECKING:
    from mindspore import Parameter, nn


class Watch:
    """Looks at a network's head and stem again whenever it is asked.

    `head` and `stem` are prefixes of parameters, `channels` what the stem takes now. The network
    is not kept alive.
    """

    def __init__(
        self, net: nn.Cell, *, head: Iterable[str], stem: Iterable[str], channels: int | None
    ) -> None:
        self._net = weakref.ref(net)
        self._head_prefixes, self._stem_prefixes = tuple(head), tuple(stem)
        self._head = {
            name: (weakref.ref(parameter), tuple(parameter.shape))
            for name, parameter in _under(net, self._head_prefixes).items()
        }
        self._channels, self._width = channels, self._stem_width(net)

    @property
    def same_head(self) -> bool:
        """Whether the outputs are those that the weights were made for.

        A head of the same shape put in its place has classes of its own.
        """
        net = self._net()
        if net is None:
            return True
        found = _under(net, self._head_prefixes)
        return found.keys() == self._head.keys() and all(
            reference() is found[name] and shape == tuple(found[name].shape)
            for name, (reference, shape) in self._head.items()
        )

    @property
    def channels(self) -> int | None:
        """The channels that the network takes now; None where that is not known."""
        net = self._net()
        width = None if net is None else self._stem_width(net)
        if not (width and self._width and self._channels):
            return self._channels
        # A stem that folds pixels into channels has a multiple of them.
        return width * self._channels // self._width

    @property
    def knows_stem(self) -> bool:
        """Whether there is a first convolution to look at."""
        return self._width is not None

    def _stem_width(self, net: nn.Cell) -> int | None:
        for parameter in _under(net, self._stem_prefixes).values():
            if len(parameter.shape) == 4:
                return int(parameter.shape[1])
        return None


def for_channels(contract: InputContract, channels: int | None) -> InputContract:
    """The contract of the same network over other input channels."""
    if channels is None or channels == contract.channels:
        return contract
    colour = "RGB" if contract.colour == "L" and channels > 1 else contract.colour
    return replace(
        contract,
        channels=channels,
        colour="L" if channels == 1 else colour,
        mean=_spread(contract.mean, channels),
        std=_spread(contract.std, channels),
        provenance=f"adapted to {counted(channels, 'channel')}",
    )


def _spread(values: tuple[float, ...] | None, channels: int) -> tuple[float, ...] | None:
    """Per channel: their mean for one, else repeated."""
    if not values:
        return values
    if channels == 1:
        return (sum(values) / len(values),)
    return tuple(values[channel % len(values)] for channel in range(channels))


def _under(net: nn.Cell, prefixes: tuple[str, ...]) -> dict[str, Parameter]:
    # Not `""`, which would cover all.
    return {p.name: p for p in net.get_parameters() if prefixes and has_prefix(p.name, prefixes)}
