"""The halves of MASTER, asked once a picture, and once a character.

The network itself reads all its characters at one go: a graph that takes minutes to compile.
"""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.blank_texts import BlankTexts
from zoohub.networks.master.network import MASTER

_START, _STOP = 0, 1


class See(nn.Cell):
    """`image` (B, C, H, W) -> `key`, `value` (B, heads, places, D) of what is seen, and `blank`, as
    `BlankTexts`."""

    def __init__(self, net: MASTER) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.blank = BlankTexts(net.head.steps, _START, _STOP)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        key, value = self.net.head.remember(self.net.neck(self.net.backbone(image)))
        return key, value, self.blank(image)


class NextCharacter(nn.Cell):
    """`key`, `value` and the text so far, `characters` int32 (B, N) -> `probabilities` float32
    (B, num_classes) of what comes next."""

    def __init__(self, net: MASTER, heads: int, depth: int) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        places = Tensor(shape=(None, heads, None, depth), dtype=mstype.float32)
        self.set_inputs(places, places, Tensor(shape=(None, None), dtype=mstype.int32))

    def construct(self, key: Tensor, value: Tensor, characters: Tensor) -> Tensor:
        return ops.softmax(self.net.head.next(characters, key, value), -1)


def reading_parts(net: MASTER) -> Mapping[str, Part]:
    """`see` and `step`, as `zoohub.tasks.text_recognition.stepwise` asks for them."""
    channels = next(iter(net.backbone.get_parameters())).shape[1]
    attention = net.head.source_attention[0]
    heads = attention.num_heads
    depth = attention.linears[1].weight.shape[0] // heads
    image = Taken("image", ("batch", channels, "height", "width"), "float32")
    seen = ("batch", heads, "places", depth)
    key, value = Taken("key", seen, "float32"), Taken("value", seen, "float32")
    characters = Taken("characters", ("batch", "length"))
    return {
        "see": Part(See(net), (image,), ("key", "value", "blank")),
        "step": Part(
            NextCharacter(net, heads, depth), (key, value, characters), ("probabilities",)
        ),
    }
