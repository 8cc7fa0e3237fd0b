"""The two halves of T5, which writing asks in turn: once, and once a token.

Shapes: B texts of S tokens, T new tokens of each answer after the P that are remembered, V tokens
known; `layers` keys and as many values, H heads of D channels.
"""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.causal import Memory, unstacked
from zoohub.networks.layers.next_token import last_logits, stacked
from zoohub.networks.t5.network import T5, unread


class Encode(nn.Cell):
    """`ids` int32 (B, S) and the tokens of each row, `lengths` int32 (B,) -> `source` float32 (B, 2
    · layers, H, S, D): the keys and values that answers attend to. Compiled once for every B and S.
    """

    def __init__(self, net: T5) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(
            Tensor(shape=(None, None), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
        )

    def construct(self, ids: Tensor, lengths: Tensor) -> Tensor:
        places = self.net.encoder.places(ids.shape[1])
        read = self.net.read(ids, unread(_own(places, lengths)))
        return stacked(self.net.decoder.remember(read))


class NextToken(nn.Cell):
    """`ids` int32 (B, T) of which `lengths` (B,) are a row's own, after the first `counts` (B,)
    tokens of `past` float32 (B, 2 · layers, H, P, D), and `source` (B, 2 · layers, H, S, D) with
    its `source_lengths` (B,) -> `logits` float32 (B, V) of what follows, and `memory` (B, 2 ·
    layers, H, T, D). Compiled once for every B, T, P and S."""

    def __init__(self, net: T5) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        layers, heads, width = net.cache
        self.layers = layers // 2
        remembered = Tensor(shape=(None, layers, heads, None, width), dtype=mstype.float32)
        number = Tensor(shape=(None,), dtype=mstype.int32)
        ids = Tensor(shape=(None, None), dtype=mstype.int32)
        self.set_inputs(ids, number, number, remembered, remembered, number)

    def construct(
        self,
        ids: Tensor,
        lengths: Tensor,
        counts: Tensor,
        past: Tensor,
        source: Tensor,
        source_lengths: Tensor,
    ) -> tuple[Tensor, Tensor]:
        read = unstacked(source)
        seen: tuple[Memory, ...] = ()
        for number in range(self.layers):
            seen = (*seen, (read[2 * number], read[2 * number + 1]))
        hidden = unread(_own(self.net.encoder.places(source.shape[3]), source_lengths))
        x, memories = self.net.decoder(ids, seen, hidden, counts, unstacked(past))
        return last_logits(self.net, x, lengths), stacked(memories)


def _own(places: Tensor, lengths: Tensor) -> Tensor:
    return ops.expand_dims(places, 0) < ops.expand_dims(lengths, 1)


def writing_parts(net: T5) -> Mapping[str, Part]:
    """`encode` and `next`, as `zoohub.tasks.generation` asks for them."""
    layers, heads, width = net.cache
    taken = (Taken("ids", ("batch", "length")), Taken("lengths", ("batch",)))
    source = Taken("source", ("batch", layers, heads, "source", width), "float32")
    past = Taken("past", ("batch", layers, heads, "past", width), "float32")
    following = (
        *taken, Taken("counts", ("batch",)), past, source, Taken("source_lengths", ("batch",)),
    )  # fmt: skip
    return {
        "encode": Part(Encode(net), taken, ("source",)),
        "next": Part(NextToken(net), following, ("logits", "memory")),
    }
