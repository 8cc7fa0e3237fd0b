"""What of a network is exported: of a detector the decoded boxes alone, or the raw maps; of a text
encoder what its head gives.

One function for each way in which networks give boxes; a detector has one cell that `decodes`.
"""

from __future__ import annotations

from typing import Protocol, cast

from mindspore import nn

from zoohub.networks.family import Cut
from zoohub.outputs.box_decoding import BoxDecoding


class Decoder(Protocol):
    """A cell that gives boxes in evaluation mode, or raw maps where it does not decode."""

    decodes: bool


def cut_anchors(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads whose boxes have an objectness: (B, N, 5 + classes), then the maps."""
    return _cut(net, decode, ("predictions", "map_*"), "predictions")


def cut_distances(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads whose boxes have none: (B, N, 4 + classes), then the maps."""
    return _cut(net, decode, ("boxes", "map_*"), "boxes")


def cut_two_branches(net: nn.Cell, *, decode: bool) -> Cut:
    """The same twice: an auxiliary branch's boxes come before those that count."""
    return _cut(net, decode, ("auxiliary_boxes", "boxes", "map_*"), "boxes")


def cut_chosen(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads that choose their boxes themselves: (B, n, 6), then the maps."""
    return _cut(net, decode, ("chosen", "map_*"), "chosen")


def cut_fractions(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads that give decoded maps in place of raw ones."""
    return _cut(net, decode, ("predictions_*",), "predictions_*")


def cut_offsets(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads that give offsets from default boxes, scores with the background's, then the boxes."""
    undecoded = ("offsets", "scores")
    return _cut(net, decode, (*undecoded, "boxes"), "boxes", undecoded)


def cut_logits(net: nn.Cell, *, decode: bool) -> Cut:
    """The same with logits for scores."""
    undecoded = ("offsets", "logits")
    return _cut(net, decode, (*undecoded, "boxes"), "boxes", undecoded)


def cut_landmarks(net: nn.Cell, *, decode: bool) -> Cut:
    """As `cut_offsets`, with landmarks after the scores, and their points after the boxes."""
    undecoded = ("offsets", "scores", "landmarks")
    decoded = ("boxes", "points")
    return _cut(net, decode, (*undecoded, *decoded), decoded, undecoded)


def cut_refined(net: nn.Cell, *, decode: bool) -> Cut:
    """Offsets and scores of a first look and of a second, the maps between them, then the boxes."""
    maps = tuple(f"map_{level}" for level in range(4))
    undecoded = ("first_offsets", "first_scores", "offsets", "scores", *maps)
    return _cut(net, decode, (*undecoded, "boxes"), "boxes", undecoded)


def cut_points(net: nn.Cell, *, decode: bool) -> Cut:
    """Heads over points: heat, sizes and offsets, then the boxes they chose themselves."""
    undecoded = ("heat", "sizes", "offsets")
    return _cut(net, decode, (*undecoded, "chosen"), "chosen", undecoded)


def cut_head(net: nn.Cell, *, decode: bool) -> Cut | None:
    """A network of text, which says by `gives` what its outputs are called; not its table of words.

    Nothing of it can be left undecoded.
    """
    if not decode:
        return None
    names: tuple[str, ...] = net.gives
    return Cut(names, tuple(name for name in names if name != "table"))


def _cut(
    net: nn.Cell,
    decode: bool,
    names: tuple[str, ...],
    kept: str | tuple[str, ...],
    undecoded: tuple[str, ...] = ("map_*",),
) -> Cut:
    """Leave the decoding out, if asked or if the network was built so."""
    head = find_decoder(net)
    head.decodes = head.decodes and decode
    if head.decodes:
        return Cut(names, (kept,) if isinstance(kept, str) else kept)
    box_decoding = getattr(head, "box_decoding", None)
    decoding: BoxDecoding | None = box_decoding() if box_decoding else None
    return Cut(undecoded, decoding=decoding)


def find_decoder(net: nn.Cell) -> Decoder:
    """The only cell of a network that decodes boxes."""
    (head,) = (cell for _, cell in net.cells_and_names() if hasattr(cell, "decodes"))
    return cast("Decoder", head)
