"""The two halves of the Transformer, which a search asks in turn: once, and once a token."""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.transformer.network import IDS, Transformer


class Encode(nn.Cell):
    """`source_ids`, `source_mask` int32 (B, S) -> `memory` float32 (B, S, C)."""

    def __init__(self, net: Transformer) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        any_ids = Tensor(shape=IDS, dtype=mstype.int32)
        self.set_inputs(any_ids, any_ids)

    def construct(self, source_ids: Tensor, source_mask: Tensor) -> Tensor:
        return self.net.encode(source_ids, source_mask)


class NextToken(nn.Cell):
    """`memory` (B, S, C), `source_mask` (B, S) and the target so far, `target_ids` (B, T) ->
    `log_probabilities` float32 (B, V) of the next token."""

    def __init__(self, net: Transformer) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        any_ids = Tensor(shape=IDS, dtype=mstype.int32)
        channels = net.tfm_embedding_lookup.embedding_table.shape[1]
        memory = Tensor(shape=(None, None, channels), dtype=mstype.float32)
        self.set_inputs(memory, any_ids, any_ids)

    def construct(self, memory: Tensor, source_mask: Tensor, target_ids: Tensor) -> Tensor:
        states = self.net.decode(memory, source_mask, target_ids, ops.ones_like(target_ids))
        return self.net.log_probabilities(states[:, -1])


def search_parts(net: Transformer) -> Mapping[str, Part]:
    """`encode` and `step`, as `zoohub.tasks.translation.beam_search` asks for them."""
    channels = net.tfm_embedding_lookup.embedding_table.shape[1]
    source = (Taken("source_ids", ("batch", "source")), Taken("source_mask", ("batch", "source")))
    memory = Taken("memory", ("batch", "source", channels), "float32")
    target = Taken("target_ids", ("batch", "target"))
    return {
        "encode": Part(Encode(net), source, ("memory",)),
        "step": Part(NextToken(net), (memory, source[1], target), ("log_probabilities",)),
    }
