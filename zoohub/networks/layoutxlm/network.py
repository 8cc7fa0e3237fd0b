"""LayoutXLM: what each token of a document is, by its words, where they stand, and the picture.

Source: Xu et al., "LayoutXLM: Multimodal Pre-training for Multilingual Visually-rich Document
Understanding" (2021), as MindOCR publishes it. Shapes: B documents, N tokens, C channels.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.text_encoder import EncoderSizes
from zoohub.networks.resnext.network import resnext
from zoohub.networks.vi_layoutxlm.network import DocumentCells, Head, bias, sizes_of

_WIDTHS = (256, 512, 1024, 2048)
_CHANNELS = 256
_GRID = 7  # places of the picture, in height and width
_CELL = 8  # pixels of the finest map in each
_PAGE = 1000
_MEAN = (103.53, 116.28, 123.675)
_STD = (57.375, 57.12, 58.395)


class Pyramid(nn.Cell):
    """A picture (B, 3, H, W) -> its finest map (B, 256, H / 4, W / 4), having seen the coarser.

    Published files hold the coarser maps' last convolutions too, which nothing asks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lateral_convs = nn.CellList(
            [conv2d(width, _CHANNELS, 1, bias=True) for width in reversed(_WIDTHS)]
        )
        self.output_convs = nn.CellList(
            [conv2d(_CHANNELS, _CHANNELS, 3, bias=True) for _ in _WIDTHS]
        )
        self.bottom_up = resnext(
            101,
            groups=32,
            base_width=8,
            pool_padding="symmetric",
            features_only=True,
            out_indices=(1, 2, 3, 4),
        )

    def construct(self, x: Tensor) -> Tensor:
        maps = self.bottom_up(x)
        last = len(_WIDTHS) - 1
        above = self.lateral_convs[0](maps[last])
        for step in range(1, last + 1):
            below = maps[last - step]
            spread = ops.interpolate(above, below.shape[2:], mode="nearest")
            above = self.lateral_convs[step](below) + spread
        return self.output_convs[last](above)


class Picture(nn.Cell):
    """A picture (B, 3, 224, 224), BGR from 0 to 255 -> its places (B, 49, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.pixel_mean = _constant("pixel_mean", _MEAN)
        self.pixel_std = _constant("pixel_std", _STD)
        self.backbone = Pyramid()
        self.pool = nn.AvgPool2d(_CELL, _CELL)
        for parameter in self.get_parameters():
            parameter.requires_grad = False

    def construct(self, image: Tensor) -> Tensor:
        maps = self.pool(self.backbone((image - self.pixel_mean) / self.pixel_std))
        return ops.transpose(ops.flatten(maps, start_dim=2), (0, 2, 1))


def _constant(name: str, values: tuple[float, ...]) -> Parameter:
    array = np.array(values, np.float32).reshape(-1, 1, 1)
    return Parameter(Tensor(array), name=name, requires_grad=False)


def _boxes() -> Tensor:
    """The boxes of the picture's places, (1, 49, 4)."""
    edges = np.arange(_GRID + 1) * _PAGE // _GRID
    upper, left = np.divmod(np.arange(_GRID * _GRID), _GRID)
    boxes = np.stack((edges[left], edges[upper], edges[left + 1], edges[upper + 1]), -1)
    return Tensor(boxes[None].astype(np.int32))


class PicturedDocument(DocumentCells):
    """A document and its picture, whose places stand behind the tokens -> states (B, N, C)."""

    def add_picture(self, sizes: EncoderSizes) -> None:
        """Make the cells that see a picture."""
        self.visual = Picture()
        self.visual_proj = dense(_CHANNELS, sizes.hidden_size)
        self.boxes = _boxes()
        self.visual_dropout = nn.Dropout(p=sizes.dropout)

    def construct(
        self,
        input_ids: Tensor,
        bbox: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        image: Tensor,
    ) -> Tensor:
        words = self.embeddings(input_ids, bbox, token_type_ids)
        seen = self.visual_proj(self.visual(image)) + self.embeddings.placed(self.boxes)
        seen = self.visual_LayerNorm(seen + self.visual_segment_embedding)
        x = ops.concat((words, self.visual_dropout(seen)), 1)
        everywhere = ops.ones((input_ids.shape[0], _GRID * _GRID), mstype.float32)
        mask = ops.concat((attention_mask.astype(mstype.float32), everywhere), 1)
        return self.encoder(x, bias(mask))[:, : input_ids.shape[1]]


class PicturedTagger(nn.Cell):
    """See `layoutxlm`."""

    def __init__(self, backbone: PicturedDocument, head: nn.Cell) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def construct(
        self,
        input_ids: Tensor,
        bbox: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        image: Tensor,
    ) -> Tensor:
        return self.head(self.backbone(input_ids, bbox, attention_mask, token_type_ids, image))


def layoutxlm(
    vocab_size: int = 250002,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 514,
    max_2d_position_embeddings: int = 1024,
    num_labels: int = 7,
    dropout: float = 0.1,
) -> PicturedTagger:
    """LayoutXLM: whole numbers `input_ids` (B, N), `bbox` (B, N, 4), `attention_mask` and
    `token_type_ids` (B, N), and float32 `image` (B, 3, 224, 224) -> logits (B, N, num_labels).

    Arguments, and what a box is, are those of `vi_layoutxlm`.

    Raises:
        ValueError: as there.
    """
    sizes = sizes_of(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        dropout,
    )
    head = Head(hidden_size, num_labels, dropout) if num_labels else nn.Identity()
    return PicturedTagger(PicturedDocument(sizes, max_2d_position_embeddings), head)
