"""Feature extraction: networks that return maps instead of logits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mindspore import Tensor, nn


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """One feature map: (B, `channels`, H / `stride`, W / `stride`)."""

    channels: int
    stride: int


def check_out_indices(out_indices: Sequence[int], count: int) -> tuple[int, ...]:
    """`out_indices` as a tuple, once each is known to name one of `count` feature maps.

    Raises:
        ValueError: none, out of range (negative included), or not in ascending order.
    """
    indices = tuple(out_indices)
    ascending = all(low < high for low, high in pairwise(indices))
    if not indices or not ascending or not set(indices) <= set(range(count)):
        raise ValueError(
            f"out_indices={indices} must be ascending numbers from 0 to {count - 1}, at least one"
        )
    return indices


def stage_ends(maps: Sequence[FeatureMap]) -> tuple[int, ...]:
    """The last place of each stride: `maps` says what each layer of a row gives.

    >>> stage_ends([FeatureMap(8, 2), FeatureMap(16, 4), FeatureMap(16, 4), FeatureMap(24, 8)])
    (0, 2, 3)
    """
    last = {each.stride: place for place, each in enumerate(maps)}
    return tuple(last[stride] for stride in sorted(last))


class ReadLayers(nn.SequentialCell):
    """Layers one after another: the output of the last, or of those at `places` as a tuple.

    x -> x, or a tuple of maps where `places` are given, which must ascend. Layers given by name
    have these names, others their numbers.
    """

    def __init__(
        self, layers: Sequence[nn.Cell] | Mapping[str, nn.Cell], places: Sequence[int] = ()
    ) -> None:
        super().__init__(OrderedDict(layers) if isinstance(layers, Mapping) else list(layers))
        self.places = tuple(places)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for place, layer in enumerate(self.cell_list):
            x = layer(x)
            if place in self.places:
                maps = (*maps, x)
        return maps if self.places else x


def read_stages(
    layers: Sequence[nn.Cell] | Mapping[str, nn.Cell],
    maps: Sequence[FeatureMap],
    out_indices: Sequence[int],
) -> tuple[ReadLayers, tuple[FeatureMap, ...]]:
    """The `layers` up to the last map asked for, and what each map is.

    `maps` says what each layer gives; `out_indices` choose among the last ones of each stride.

    Raises:
        ValueError: an index that names none of them.
    """
    ends = stage_ends(maps)
    places = [ends[index] for index in check_out_indices(out_indices, len(ends))]
    count = places[-1] + 1
    if isinstance(layers, Mapping):
        read = ReadLayers(dict(list(layers.items())[:count]), places)
    else:
        read = ReadLayers(layers[:count], places)
    return read, tuple(maps[place] for place in places)
