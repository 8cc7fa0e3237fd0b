"""The one question that writing asks a language model again and again: which token comes next?"""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken


class NextToken(nn.Cell):
    """`ids` int32 (B, L) and the number of tokens of each row, `lengths` int32 (B,) -> `logits`
    float32 (B, V) of the token after each row's last. What fills a row up stands after it, where
    no token sees it. Compiled once for every B and L."""

    def __init__(self, net: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(
            Tensor(shape=(None, None), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
        )

    def construct(self, ids: Tensor, lengths: Tensor) -> Tensor:
        logits = self.net(ids)
        last = ops.reshape(lengths - 1, (-1, 1, 1))
        last = ops.broadcast_to(last, (logits.shape[0], 1, logits.shape[2]))
        return ops.squeeze(ops.gather_elements(logits, 1, last), 1).astype(mstype.float32)


def writing_parts(net: nn.Cell) -> Mapping[str, Part]:
    """`next`, as `zoohub.tasks.generation` asks for it; of a network from ids to logits."""
    taken = (Taken("ids", ("batch", "length")), Taken("lengths", ("batch",)))
    return {"next": Part(NextToken(net), taken, ("logits",))}
