"""TPRR's ALBERT, which gives the states that its reader and reranker judge.

Source: Lan et al., "ALBERT" (2020), xxlarge, as the models repository publishes it for TPRR.
Parameter names are those of its files, whose dense weights are (in, out). Shapes: B texts, N
tokens, C channels, E channels of a word, H heads of D.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.dense import TurnedDense
from zoohub.networks.layers.text_encoder import padding_bias

_EPS = 1e-12
_INIT = TruncatedNormal(0.02)


class Norm(nn.Cell):
    """Layer norm: (…, channels) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_norm_weight = Parameter(initializer("ones", (channels,)))
        self.layer_norm_bias = Parameter(initializer("zeros", (channels,)))

    def construct(self, x: Tensor) -> Tensor:
        centred = x - ops.mean(x, -1, True)
        variance = ops.mean(ops.square(centred), -1, True)
        return self.layer_norm_weight * (centred / ops.sqrt(variance + _EPS)) + self.layer_norm_bias


class MultiHeadAttention(nn.Cell):
    """Self-attention: (B, N, C), bias (B, 1, 1, N) -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads, self.channels = num_heads, channels
        width = channels // num_heads
        self.scale = width**-0.5
        self.query_linear_bias = Parameter(initializer("zeros", (channels,)))
        self.key_linear_bias = Parameter(initializer("zeros", (channels,)))
        self.value_linear_bias = Parameter(initializer("zeros", (channels,)))
        self.query_linear_weight = Parameter(initializer(_INIT, (channels, channels)))
        self.key_linear_weight = Parameter(initializer(_INIT, (channels, channels)))
        self.value_linear_weight = Parameter(initializer(_INIT, (channels, channels)))
        self.w = Parameter(initializer(_INIT, (num_heads, width, channels)))
        self.b = Parameter(initializer("zeros", (channels,)))

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        query = ops.matmul(x, self.query_linear_weight) + self.query_linear_bias
        key = ops.matmul(x, self.key_linear_weight) + self.key_linear_bias
        value = ops.matmul(x, self.value_linear_weight) + self.value_linear_bias
        context = attend(
            split_heads(query, self.num_heads),
            split_heads(key, self.num_heads),
            split_heads(value, self.num_heads),
            self.scale,
            bias,
        )
        weight = ops.reshape(self.w, (self.channels, self.channels))
        return ops.matmul(merge_heads(context), weight) + self.b


class Block(nn.Cell):
    """Attention and two dense layers: (B, N, C), bias -> (B, N, C), not yet normalised."""

    def __init__(self, channels: int, num_heads: int, hidden: int) -> None:
        super().__init__()
        self.multiheadattn = MultiHeadAttention(channels, num_heads)
        self.layernorm = Norm(channels)
        self.ffn = TurnedDense(channels, hidden)
        self.newgelu = gelu(exact=False)
        self.ffn_output = TurnedDense(hidden, channels)

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.layernorm(x + self.multiheadattn(x, bias))
        return self.ffn_output(self.newgelu(self.ffn(x))) + x


class TprrAlbert(nn.Cell):
    """int32 (B, N) three times -> states (B, N, C)."""

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        num_hidden_layers: int,
        num_attention_heads: int,
        intermediate_size: int,
        max_position_embeddings: int,
        embedding_size: int,
    ) -> None:
        super().__init__()
        self.times = num_hidden_layers
        self.layernorm_1 = Norm(embedding_size)
        self.embedding_hidden_mapping_in = TurnedDense(embedding_size, hidden_size)
        self.albert_transformer = Block(hidden_size, num_attention_heads, intermediate_size)
        self.layernorm_2 = Norm(hidden_size)
        self.word_embeddings = Parameter(initializer(_INIT, (vocab_size, embedding_size)))
        self.token_type_embeddings = Parameter(initializer(_INIT, (2, embedding_size)))
        self.position_embeddings = Parameter(
            initializer(_INIT, (1, max_position_embeddings, embedding_size))
        )

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        x = ops.gather(self.word_embeddings, input_ids, 0)
        x = x + self.position_embeddings[:, : input_ids.shape[1]]
        x = self.layernorm_1(x + ops.gather(self.token_type_embeddings, token_type_ids, 0))
        x = self.embedding_hidden_mapping_in(x)
        bias = padding_bias(attention_mask)
        for _ in range(self.times):
            x = self.layernorm_2(self.albert_transformer(x, bias))
        return x


def tprr_albert(
    vocab_size: int = 30005,
    hidden_size: int = 4096,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 64,
    intermediate_size: int = 16384,
    max_position_embeddings: int = 512,
    embedding_size: int = 128,
) -> TprrAlbert:
    """TPRR's ALBERT: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    Args:
        vocab_size: words in the vocabulary: ALBERT's 30000 and 5 marks.
        hidden_size: channels of a token.
        num_hidden_layers: how often the one block is applied.
        num_attention_heads: heads of each attention.
        intermediate_size: channels between the block's two dense layers.
        max_position_embeddings: tokens of the longest text.
        embedding_size: channels of a word.

    Raises:
        ValueError: heads that do not divide the hidden size.
    """
    if hidden_size % num_attention_heads:
        raise ValueError(f"{num_attention_heads} heads do not divide a size of {hidden_size}")
    return TprrAlbert(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        embedding_size,
    )
