"""The two halves of TableMaster, which reading a table asks in turn: once, and once a token.

Shapes: B pictures of M places, P tokens that are remembered; `layers` keys and as many values, H
heads of D channels.
"""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.blank_texts import BlankTexts
from zoohub.networks.layers.causal import unstacked
from zoohub.networks.table_master.head import Head
from zoohub.networks.table_master.network import TableMaster


class See(nn.Cell):
    """`image` (B, C, H, W) -> `seen` float32 (B, 2 · layers, H, M, D), the keys and values of its
    places, and `tokens` int32 (B, steps): the start, and padding where tokens are to come."""

    def __init__(self, net: TableMaster) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.blank = BlankTexts(net.head.steps - 1, net.head.start, net.head.padding)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        seen = ops.stack(self.net.head.remember(self.net.backbone(image)), 1)
        return seen.astype(mstype.float32), self.blank(image)


class NextToken(nn.Cell):
    """`ids` int32 (B, 1) after the first `counts` int32 (B,) tokens of `past` float32 (B, 2 ·
    layers, H, P, D), and `seen` (B, 2 · layers, H, M, D) -> `probabilities` float32 (B,
    num_classes) of the token that follows, its `box` (B, 4), and `memory` (B, 2 · layers, H, 1, D).
    Compiled once for every B, P and M."""

    def __init__(self, head: Head) -> None:
        super().__init__(auto_prefix=False)
        self.head = head
        layers, heads, width = head.cache
        kept = Tensor(shape=(None, layers, heads, None, width), dtype=mstype.float32)
        self.set_inputs(
            Tensor(shape=(None, 1), dtype=mstype.int32),
            Tensor(shape=(None,), dtype=mstype.int32),
            kept,
            kept,
        )

    def construct(
        self, ids: Tensor, counts: Tensor, past: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        probabilities, boxes, added = self.head.next(ids, counts, unstacked(past), unstacked(seen))
        memory = ops.stack(added, 1).astype(mstype.float32)
        return probabilities[:, 0], boxes[:, 0], memory


def reading_parts(net: TableMaster) -> Mapping[str, Part]:
    """`see` and `next`, as `zoohub.tasks.table_recognition` asks for them."""
    channels = net.backbone.conv1.weight.shape[1]
    image = Taken("image", ("batch", channels, "height", "width"), "float32")
    layers, heads, width = net.head.cache
    past = Taken("past", ("batch", layers, heads, "past", width), "float32")
    seen = Taken("seen", ("batch", layers, heads, "places", width), "float32")
    following = (Taken("ids", ("batch", 1)), Taken("counts", ("batch",)), past, seen)
    return {
        "see": Part(See(net), (image,), ("seen", "tokens")),
        "next": Part(NextToken(net.head), following, ("probabilities", "box", "memory")),
    }
