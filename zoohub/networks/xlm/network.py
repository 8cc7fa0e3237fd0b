"""XLM: one encoder for several languages, read in both directions or forwards.

Source: Lample and Conneau, "Cross-lingual Language Model Pretraining" (2019), as MindNLP publishes
it, whose parameter names these are; masks are applied as the paper's own code does, where MindNLP
leaves them out. Shapes: B texts, N tokens, C channels, V words.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.text_encoder import padding_bias

HEADS = ("fill-mask", "encoder")
_EPS = 1e-12
_LATER = -10000.0  # added to the scores of tokens that come later


class XlmAttention(nn.Cell):
    """Self-attention: (B, N, C), bias (B, 1, N or 1, N) -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.q_lin = dense(channels, channels)
        self.k_lin = dense(channels, channels)
        self.v_lin = dense(channels, channels)
        self.out_lin = dense(channels, channels)

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        query = split_heads(self.q_lin(x), self.num_heads)
        key = split_heads(self.k_lin(x), self.num_heads)
        value = split_heads(self.v_lin(x), self.num_heads)
        return self.out_lin(merge_heads(attend(query, key, value, self.scale, bias)))


class FeedForward(nn.Cell):
    """Dense, GELU, dense: (B, N, C) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lin1 = dense(channels, 4 * channels)
        self.lin2 = dense(4 * channels, channels)
        self.activation = gelu(exact=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.lin2(self.activation(self.lin1(x)))


class XlmEncoder(nn.Cell):
    """int32 words and mask (B, N), languages (B, N) or None -> states (B, N, C), 0 at padding."""

    def __init__(
        self,
        vocab_size: int,
        channels: int,
        layers: int,
        num_heads: int,
        positions: int,
        languages: int,
        causal: bool,
        std: float,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.position_ids = Parameter(Tensor(np.arange(positions)[None], ms.int64))
        init = Normal(std)
        self.position_embeddings = nn.Embedding(positions, channels, embedding_table=init)
        self.has_languages = languages > 1
        if self.has_languages:
            self.lang_embeddings = nn.Embedding(languages, channels, embedding_table=init)
        self.embeddings = nn.Embedding(vocab_size, channels, embedding_table=init)
        self.layer_norm_emb = layer_norm(channels, _EPS)
        times = range(layers)
        self.attentions = nn.CellList([XlmAttention(channels, num_heads) for _ in times])
        self.layer_norm1 = nn.CellList([layer_norm(channels, _EPS) for _ in times])
        self.ffns = nn.CellList([FeedForward(channels) for _ in times])
        self.layer_norm2 = nn.CellList([layer_norm(channels, _EPS) for _ in times])

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, langs: Tensor | None = None
    ) -> Tensor:
        tokens = input_ids.shape[1]
        x = self.embeddings(input_ids) + self.position_embeddings.embedding_table[:tokens]
        if self.has_languages and langs is not None:
            x = x + self.lang_embeddings(langs)
        kept = ops.expand_dims(ops.cast(attention_mask, ms.float32), -1)
        x = self.layer_norm_emb(x) * kept
        # Read forwards, a text is over before its padding begins.
        bias = self.later(tokens) if self.causal else padding_bias(attention_mask)
        for block, attention in enumerate(self.attentions):
            x = self.layer_norm1[block](x + attention(x, bias))
            x = self.layer_norm2[block](x + self.ffns[block](x)) * kept
        return x

    def later(self, tokens: int) -> Tensor:
        """What is added to the scores of N tokens read forwards: (N, N)."""
        return _LATER * ops.triu(ops.ones((tokens, tokens), ms.float32), 1)


class WordBias(nn.Cell):
    """What is added to each word's logit."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.bias = Parameter(initializer("zeros", (vocab_size,)))

    def construct(self, x: Tensor) -> Tensor:
        return x + self.bias


class Prediction(nn.Cell):
    """States (…, C), the table of words (V, C) -> logits (…, V)."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.proj = WordBias(vocab_size)

    def construct(self, x: Tensor, table: Tensor) -> Tensor:
        return self.proj(ops.matmul(x, ops.transpose(table, (1, 0))))


class XlmStates(nn.Cell):
    """As `XlmEncoder`, under the name that files have before it."""

    gives = ("states",)

    def __init__(self, encoder: XlmEncoder) -> None:
        super().__init__()
        self.transformer = encoder

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, langs: Tensor | None = None
    ) -> Tensor:
        return self.transformer(input_ids, attention_mask, langs)


class Xlm(nn.Cell):
    """As `XlmEncoder` -> logits of every token's words (B, N, V)."""

    gives = ("words",)

    def __init__(self, encoder: XlmEncoder, vocab_size: int) -> None:
        super().__init__()
        self.transformer = encoder
        self.pred_layer = Prediction(vocab_size)

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, langs: Tensor | None = None
    ) -> Tensor:
        states = self.transformer(input_ids, attention_mask, langs)
        return self.pred_layer(states, self.transformer.embeddings.embedding_table)


def xlm(
    vocab_size: int = 30145,
    emb_dim: int = 2048,
    n_layers: int = 12,
    n_heads: int = 16,
    max_position_embeddings: int = 512,
    n_langs: int = 1,
    causal: bool = False,
    embed_init_std: float = 2048**-0.5,
    head: str = "fill-mask",
) -> Xlm | XlmStates:
    """XLM: int32 `input_ids`, `attention_mask` and `langs` (B, N) -> logits of words (B, N, V).

    Without `langs` no language is told. Logits at padding are those of no state.

    Args:
        vocab_size: words in the vocabulary.
        emb_dim: channels of a token.
        n_layers: blocks.
        n_heads: heads of each attention.
        max_position_embeddings: tokens of the longest text.
        n_langs: languages; 1: there is no table of them.
        causal: a token sees those before it only.
        embed_init_std: standard deviation that embeddings start with.
        head: "fill-mask", which reads forwards too; or "encoder": states (B, N, emb_dim).

    Raises:
        ValueError: another head, or heads of attention that do not divide the channels.
    """
    if head not in HEADS:
        raise ValueError(f"a head of XLM is {', '.join(HEADS)}, not {head!r}")
    if emb_dim % n_heads:
        raise ValueError(f"{n_heads} heads do not divide {emb_dim} channels")
    encoder = XlmEncoder(
        vocab_size,
        emb_dim,
        n_layers,
        n_heads,
        max_position_embeddings,
        n_langs,
        causal,
        embed_init_std,
    )
    return Xlm(encoder, vocab_size) if head == "fill-mask" else XlmStates(encoder)
