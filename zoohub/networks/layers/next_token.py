"""What is asked of a language model: how well does it foretell a text? What follows it, and what
after one more token? The last is given what the network keeps of the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.causal import Memory, unstacked
from zoohub.networks.layers.language_model import LanguageModel


class Foretelling(nn.Cell):
    """`ids` int32 (B, L) and `lengths` int32 (B,) -> of each row's own tokens but the first: `sums`
    float32 (B,) of -ln p, and `hits` float32 (B,), how many were the likeliest. Compiled once for
    every B and L."""

    def __init__(self, net: LanguageModel) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(
            Tensor(shape=(None, None), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
        )

    def construct(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        found = ops.log_softmax(self.net(ids).astype(mstype.float32), -1)[:, :-1]
        wanted = ids[:, 1:]
        losses = -ops.squeeze(ops.gather_elements(found, 2, ops.expand_dims(wanted, -1)), -1)
        hits = ops.argmax(found, -1).astype(mstype.int32) == wanted
        places = ops.cumsum(ops.ones_like(wanted).astype(mstype.float32), 1)
        own = (places < ops.expand_dims(lengths, -1).astype(mstype.float32)).astype(mstype.float32)
        return ops.sum(losses * own, 1), ops.sum(hits.astype(mstype.float32) * own, 1)


class Reading(nn.Cell):
    """`ids` int32 (B, L) and the number of tokens of each row, `lengths` int32 (B,) -> `logits`
    float32 (B, V) of the token after each row's last, and `memory` (B, 2 · layers, H, L, D) of
    keys and values. What fills a row up stands after it, where no token sees it. Compiled once for
    every B and L."""

    def __init__(self, net: LanguageModel) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(
            Tensor(shape=(None, None), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
        )

    def construct(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, memories = self.net.body(ids)
        return last_logits(self.net, x, lengths), stacked(memories)


class NextToken(nn.Cell):
    """As `Reading`, of ids that stand after the first `counts` int32 (B,) tokens of each row of
    `past` float32 (B, 2 · layers, H, P, D). Compiled once for every B, L and P."""

    def __init__(self, net: LanguageModel) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        layers, heads, width = net.cache
        self.set_inputs(
            Tensor(shape=(None, None), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
            Tensor(shape=(None, layers, heads, None, width), dtype=mstype.float32),
        )

    def construct(
        self, ids: Tensor, lengths: Tensor, counts: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        x, memories = self.net.body(ids, counts, unstacked(past))
        return last_logits(self.net, x, lengths), stacked(memories)


def writing_parts(net: LanguageModel) -> Mapping[str, Part]:
    """`foretell`, `read` and `next`, as `zoohub.tasks.generation` asks for them."""
    layers, heads, width = net.cache
    taken = (Taken("ids", ("batch", "length")), Taken("lengths", ("batch",)))
    past = Taken("past", ("batch", layers, heads, "past", width), "float32")
    given = ("logits", "memory")
    return {
        "foretell": Part(Foretelling(net), taken, ("sums", "hits")),
        "read": Part(Reading(net), taken, given),
        "next": Part(NextToken(net), (*taken, Taken("counts", ("batch",)), past), given),
    }


class Logits(Protocol):
    """A network that ends in the logits of next tokens."""

    def logits(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, V)."""
        ...


def last_logits(net: Logits, x: Tensor, lengths: Tensor) -> Tensor:
    """The logits (B, V) after the last of each row's own `lengths` (B,) tokens (B, L, C)."""
    last = ops.reshape(lengths - 1, (-1, 1, 1))
    last = ops.broadcast_to(last, (x.shape[0], 1, x.shape[2]))
    return ops.squeeze(net.logits(ops.gather_elements(x, 1, last)), 1).astype(mstype.float32)


def stacked(memories: tuple[Memory, ...]) -> Tensor:
    """All layers' keys and values, float32 (B, 2 · layers, H, L, D)."""
    one_by_one: tuple[Tensor, ...] = ()
    for key, value in memories:
        one_by_one = (*one_by_one, key, value)
    return ops.stack(one_by_one, 1).astype(mstype.float32)
