"""UIE: an ERNIE 3.0 that marks where what a prompt asks for starts and ends.

Source: Lu et al., "Unified Structure Generation for Universal Information Extraction" (2022), as
MindNLP publishes it, whose parameter names these are. Shapes: B texts, N tokens, C channels.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import activation
from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.text_encoder import EncoderSizes, embedding, padding_bias


class Embeddings(nn.Cell):
    """Words, kinds and positions (B, N) -> embeddings (B, N, C). The task is always the first."""

    def __init__(self, sizes: EncoderSizes, tasks: int) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.word_embeddings = embedding(sizes.vocab_size, channels)
        self.position_embeddings = embedding(sizes.max_position_embeddings, channels)
        self.token_type_embeddings = embedding(sizes.type_vocab_size, channels)
        self.task_type_embeddings = embedding(tasks, channels)
        self.layer_norm = layer_norm(channels, sizes.layer_norm_eps)
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, input_ids: Tensor, token_type_ids: Tensor, position_ids: Tensor) -> Tensor:
        x = self.word_embeddings(input_ids) + self.position_embeddings(position_ids)
        x = x + self.token_type_embeddings(token_type_ids)
        x = x + self.task_type_embeddings(ops.zeros_like(input_ids))
        return self.dropout(self.layer_norm(x))


class PackedAttention(nn.Cell):
    """Self-attention with one weight for query, key and value: (B, N, C), bias -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads, self.channels = num_heads, channels
        self.scale = (channels // num_heads) ** -0.5
        self.in_proj_weight = Parameter(
            initializer(TruncatedNormal(0.02), (3 * channels, channels))
        )
        self.in_proj_bias = Parameter(initializer("zeros", (3 * channels,)))
        self.out_proj = dense(channels, channels)

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        packed = ops.matmul(x, ops.transpose(self.in_proj_weight, (1, 0))) + self.in_proj_bias
        query, key, value = ops.split(packed, self.channels, -1)
        return self.out_proj(
            merge_heads(
                attend(
                    split_heads(query, self.num_heads),
                    split_heads(key, self.num_heads),
                    split_heads(value, self.num_heads),
                    self.scale,
                    bias,
                )
            )
        )


class Layer(nn.Cell):
    """Attention, then two dense layers, each added and normalised: (B, N, C) -> the same shape."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.self_attn = PackedAttention(channels, sizes.num_attention_heads)
        self.dense1 = dense(channels, sizes.intermediate_size)
        self.dense2 = dense(sizes.intermediate_size, channels)
        self.norm1 = layer_norm(channels, sizes.inner_eps)
        self.norm2 = layer_norm(channels, sizes.inner_eps)
        self.activation = activation(sizes.hidden_act)
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self.self_attn(x, bias)))
        inner = self.activation(self.dense1(x))
        return self.norm2(x + self.dropout(self.dense2(inner)))


class Encoder(nn.Cell):
    """All layers: (B, N, C), bias (B, 1, 1, N) -> (B, N, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.layers = nn.CellList([Layer(sizes) for _ in range(sizes.num_hidden_layers)])

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, bias)
        return x


class Pooler(nn.Cell):
    """States (B, N, C) -> the first token's, once more dense (B, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dense = dense(channels, channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.tanh(self.dense(x[:, 0]))


class Ernie3(nn.Cell):
    """int32 (B, N) four times -> states (B, N, C), pooled (B, C)."""

    gives = ("states", "pooled")

    def __init__(self, sizes: EncoderSizes, tasks: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(sizes, tasks)
        self.encoder = Encoder(sizes)
        self.pooler = Pooler(sizes.hidden_size)

    def construct(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor,
        position_ids: Tensor,
        attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        x = self.embeddings(input_ids, token_type_ids, position_ids)
        x = self.encoder(x, padding_bias(attention_mask))
        return x, self.pooler(x)


class Uie(nn.Cell):
    """int32 (B, N) four times -> probabilities of start and of end, each (B, N)."""

    gives = ("starts", "ends")

    def __init__(self, ernie: Ernie3, channels: int) -> None:
        super().__init__()
        self.ernie = ernie
        self.linear_start = dense(channels, 1)
        self.linear_end = dense(channels, 1)

    def construct(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor,
        position_ids: Tensor,
        attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        states, _ = self.ernie(input_ids, token_type_ids, position_ids, attention_mask)
        starts, ends = self.linear_start(states), self.linear_end(states)
        return ops.sigmoid(ops.squeeze(starts, -1)), ops.sigmoid(ops.squeeze(ends, -1))


def uie(
    vocab_size: int = 40000,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 2048,
    type_vocab_size: int = 4,
    hidden_act: str = "gelu",
    layer_norm_eps: float = 1e-12,
    block_norm_eps: float = 1e-5,
    task_type_vocab_size: int = 3,
    head: str = "spans",
    dropout: float = 0.0,
) -> nn.Cell:
    """UIE: int32 `input_ids`, `token_type_ids`, `position_ids`, `attention_mask`, each (B, N).

    The arguments are those of `bert`, with UIE's sizes, but for

    Args:
        block_norm_eps: epsilon of the blocks' layer norms, which is not that of the embeddings'.
        task_type_vocab_size: kinds of task in a table of which the first row is used.
        head: "spans": probabilities of start and end, each (B, N); "encoder": states (B, N, C)
            and pooled (B, C).

    Raises:
        ValueError: another head, no such activation, or heads that do not divide the hidden size.
    """
    if head not in ("spans", "encoder"):
        raise ValueError(f"a head of UIE is spans or encoder, not {head!r}")
    sizes = EncoderSizes(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size,
        hidden_act,
        layer_norm_eps,
        dropout,
        block_norm_eps,
    )
    net = Ernie3(sizes, task_type_vocab_size)
    return Uie(net, hidden_size) if head == "spans" else net
