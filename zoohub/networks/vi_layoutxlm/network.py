"""VI-LayoutXLM: what each token of a document is, by its words and where they stand.

Source: Xu et al., "LayoutXLM: Multimodal Pre-training for Multilingual Visually-rich Document
Understanding" (2021), without the picture, as PP-Structure v2 has it (Li et al., 2022) and MindOCR
publishes it. Shapes: B documents, N tokens, C channels.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.text_encoder import Encoder, EncoderLayer, EncoderSizes, embedding

_NEVER = -1e9


class Embeddings(nn.Cell):
    """Tokens and their kinds (B, N), their boxes (B, N, 4) -> (B, N, C)."""

    def __init__(self, sizes: EncoderSizes, places: int) -> None:
        super().__init__()
        channels = sizes.hidden_size
        share = channels // 6
        self.word_embeddings = embedding(sizes.vocab_size, channels)
        self.position_embeddings = embedding(sizes.max_position_embeddings, channels)
        self.x_position_embeddings = embedding(places, share)
        self.y_position_embeddings = embedding(places, share)
        self.h_position_embeddings = embedding(places, share)
        self.w_position_embeddings = embedding(places, share)
        self.token_type_embeddings = embedding(sizes.type_vocab_size, channels)
        self.LayerNorm = layer_norm(channels, sizes.layer_norm_eps)
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, input_ids: Tensor, bbox: Tensor, token_type_ids: Tensor) -> Tensor:
        x = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(x + self.placed(bbox)))

    def placed(self, bbox: Tensor) -> Tensor:
        """What rows (B, N) of boxes (B, N, 4) are told of their places, (B, N, C)."""
        left, upper, right, lower = bbox[..., 0], bbox[..., 1], bbox[..., 2], bbox[..., 3]
        parts = (
            self.x_position_embeddings(left),
            self.y_position_embeddings(upper),
            self.x_position_embeddings(right),
            self.y_position_embeddings(lower),
            self.h_position_embeddings(lower - upper),
            self.w_position_embeddings(right - left),
        )
        return self.position_embeddings.embedding_table[: bbox.shape[1]] + ops.concat(parts, -1)


class DocumentCells(nn.Cell):
    """The cells of a document's network, with a picture or without.

    Published files hold the norm and the kind of a picture's places in any case, and a layer for
    the pooled state, which no head of these asks.
    """

    def __init__(self, sizes: EncoderSizes, places: int) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.visual_segment_embedding = Parameter(
            initializer("normal", (channels,)), name="visual_segment_embedding"
        )
        self.embeddings = Embeddings(sizes, places)
        self.add_picture(sizes)
        self.visual_LayerNorm = layer_norm(channels, sizes.layer_norm_eps)
        self.encoder = Encoder([EncoderLayer(sizes) for _ in range(sizes.num_hidden_layers)])
        self.pooler = dense(channels, channels)

    def add_picture(self, sizes: EncoderSizes) -> None:
        """Make the cells that see a picture: none."""


class Document(DocumentCells):
    """`input_ids`, `bbox`, `attention_mask` and `token_type_ids` -> states (B, N, C)."""

    def construct(
        self, input_ids: Tensor, bbox: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> Tensor:
        return self.encoder(self.embeddings(input_ids, bbox, token_type_ids), bias(attention_mask))


def bias(mask: Tensor) -> Tensor:
    """1 for tokens and 0 for padding (B, N) -> what is added to scores: float32 (B, 1, 1, N)."""
    return ops.expand_dims(ops.expand_dims((1.0 - mask.astype(mstype.float32)) * _NEVER, 1), 1)


class Head(nn.Cell):
    """States (B, N, C) -> logits (B, N, num_labels)."""

    def __init__(self, channels: int, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        self.classifier = dense(channels, num_labels)

    def construct(self, states: Tensor) -> Tensor:
        return self.classifier(self.dropout(states))


class DocumentTagger(nn.Cell):
    """See `vi_layoutxlm`."""

    def __init__(self, backbone: Document, head: nn.Cell) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def construct(
        self, input_ids: Tensor, bbox: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> Tensor:
        return self.head(self.backbone(input_ids, bbox, attention_mask, token_type_ids))


def vi_layoutxlm(
    vocab_size: int = 250002,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 514,
    max_2d_position_embeddings: int = 1024,
    num_labels: int = 7,
    dropout: float = 0.0,
) -> DocumentTagger:
    """VI-LayoutXLM: whole numbers `input_ids` (B, N), `bbox` (B, N, 4), `attention_mask` and
    `token_type_ids` (B, N) -> logits (B, N, num_labels).

    A box is left, upper, right and lower, from 0 to 1000 of the page. Without labels states
    (B, N, hidden_size).

    Args:
        vocab_size: tokens.
        hidden_size: channels, a multiple of 6.
        num_hidden_layers: blocks.
        num_attention_heads: heads in each.
        intermediate_size: channels between a block's dense layers.
        max_position_embeddings: rows of the table of places in the text.
        max_2d_position_embeddings: rows of the tables of places on the page.
        num_labels: what a token may be; 0: no head.
        dropout: share of channels set to zero in training.

    Raises:
        ValueError: the heads, or six, do not divide the channels.
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
    return DocumentTagger(Document(sizes, max_2d_position_embeddings), head)


def sizes_of(
    vocab_size: int,
    hidden_size: int,
    num_hidden_layers: int,
    num_attention_heads: int,
    intermediate_size: int,
    max_position_embeddings: int,
    dropout: float,
) -> EncoderSizes:
    """The encoder's sizes.

    Raises:
        ValueError: the heads, or six, do not divide the channels.
    """
    if hidden_size % 6:
        raise ValueError(f"hidden_size={hidden_size}: six parts of a box share the channels")
    return EncoderSizes(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size=1,
        hidden_act="gelu_tanh",
        layer_norm_eps=1e-5,
        dropout=dropout,
    )
