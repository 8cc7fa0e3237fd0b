"""The halves of RobustScanner, asked once a picture, and once a character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.blank_texts import BlankTexts
from zoohub.networks.robustscanner.network import RobustScanner


class See(nn.Cell):
    """`image`, `valid_width_mask`, `word_positions` -> `maps` (B, C, P) of P pixels, their `key`,
    the `bias` of the scores (B, 1, P), `by_place` (B, T, C), and `blank`, as `BlankTexts`."""

    def __init__(self, net: RobustScanner) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        decoder = net.head.decoder
        self.blank = BlankTexts(decoder.steps, decoder.start, decoder.start)  # one class for both

    def construct(
        self, image: Tensor, valid_width_mask: Tensor, word_positions: Tensor
    ) -> tuple[Tensor, ...]:
        maps = self.net.backbone(image)
        key, bias = self.net.head.see(maps, valid_width_mask)
        by_place = self.net.head.decoder.by_places(maps, key, bias, word_positions)
        maps, key = ops.flatten(maps, start_dim=2), ops.flatten(key, start_dim=2)
        return maps, key, bias, by_place, self.blank(image)


class NextCharacter(nn.Cell):
    """What `See` gives but `blank`, and the text so far, `characters` int32 (B, N) ->
    `probabilities` float32 (B, num_classes - 1) of what comes next."""

    def __init__(self, net: RobustScanner, taken: Sequence[Taken]) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        shapes = [tuple(a if isinstance(a, int) else None for a in one.axes) for one in taken]
        dtypes = [getattr(mstype, one.dtype) for one in taken]
        self.set_inputs(
            *(Tensor(shape=shape, dtype=t) for shape, t in zip(shapes, dtypes, strict=True))
        )

    def construct(
        self, maps: Tensor, key: Tensor, bias: Tensor, by_place: Tensor, characters: Tensor
    ) -> Tensor:
        here = by_place[:, : characters.shape[1]][:, -1]
        return self.net.head.decoder.next(characters[:, -1:], here, maps, key, bias)


def reading_parts(net: RobustScanner) -> Mapping[str, Part]:
    """`see` and `step`, as `zoohub.tasks.text_recognition.stepwise` asks for them."""
    channels = next(iter(net.backbone.get_parameters())).shape[1]
    hidden, wide = net.head.encoder.layer.weight.shape[:2]
    pictures = (
        Taken("image", ("batch", channels, "height", "width"), "float32"),
        Taken("valid_width_mask", ("batch", 1, "columns")),
        Taken("word_positions", ("batch", "steps")),
    )
    seen = (
        Taken("maps", ("batch", wide, "places"), "float32"),
        Taken("key", ("batch", hidden, "places"), "float32"),
        Taken("bias", ("batch", 1, "places"), "float32"),
        Taken("by_place", ("batch", "steps", wide), "float32"),
    )
    taken = (*seen, Taken("characters", ("batch", "length")))
    return {
        "see": Part(See(net), pictures, (*(one.name for one in seen), "blank")),
        "step": Part(NextCharacter(net, taken), taken, ("probabilities",)),
    }
