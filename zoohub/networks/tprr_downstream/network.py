"""TPRR's heads for HotpotQA, over the states of an ALBERT: the reader's and the reranker's.

Source: Zhang et al., "Answering Any-hop Open-domain Questions with Iterative Document Reranking"
(2021), as the models repository publishes it. Parameter names are those of its two files. Shapes:
B questions, N tokens, P paragraphs, S sentences, C channels.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.dense import dense

_EPS = 1e-12
_NEVER = 1e30  # taken from the logits of places where no answer can be


def normalised(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Layer norm over the last axis."""
    centred = x - ops.mean(x, -1, True)
    variance = ops.mean(ops.square(centred), -1, True)
    return weight * (centred / ops.sqrt(variance + _EPS)) + bias


def _parameter(init: object, *shape: int) -> Parameter:
    return Parameter(initializer(init, shape))


class Widening(nn.Cell):
    """A dense layer whose weight is (in, out), and ReLU: (…, C) -> (…, W)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.matmul_w = _parameter(TruncatedNormal(0.02), channels, width)
        self.add_bias = _parameter("zeros", width)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(ops.matmul(x, self.matmul_w) + self.add_bias)


class ReaderNorm(nn.Cell):
    """Layer norm: (…, W) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bert_layer_norm_weight = _parameter("ones", width)
        self.bert_layer_norm_bias = _parameter("zeros", width)

    def construct(self, x: Tensor) -> Tensor:
        return normalised(x, self.bert_layer_norm_weight, self.bert_layer_norm_bias)


class Support(nn.Cell):
    """Whether a paragraph or a sentence supports the answer: (B, P, C) -> logits (B, P, 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.matmul_w = _parameter(TruncatedNormal(0.02), 2 * channels, 1)
        self.linear_1 = Widening(channels, 2 * channels)
        self.bert_layer_norm = ReaderNorm(2 * channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(self.bert_layer_norm(self.linear_1(x)), self.matmul_w)


class Place(nn.Cell):
    """Where an answer starts or ends: states (B, N, C), mask (B, N) -> logits (B, N)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear_2_weight = _parameter(TruncatedNormal(0.02), channels, 1)
        self.linear_2_bias = _parameter("zeros", 1)
        self.linear_1 = Widening(channels, channels)
        self.bert_layer_norm = ReaderNorm(channels)

    def construct(self, state: Tensor, context_mask: Tensor) -> Tensor:
        inner = self.bert_layer_norm(self.linear_1(state))
        logits = ops.matmul(inner, self.linear_2_weight) + self.linear_2_bias
        return ops.squeeze(logits, -1) - (1.0 - context_mask) * _NEVER


class Reader(nn.Cell):
    """What kind of answer, where it is, and what supports it.

    Float32 states of P paragraphs (B, P, C), S sentences (B, S, C) and N tokens (B, N, C), mask
    (B, N) -> logits (B, 3), start (B, N), end (B, N), paragraphs (B, P, 1), sentences (B, S, 1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.para_bias = _parameter("zeros", 1)
        self.sent_bias = _parameter("zeros", 1)
        self.para_output_layer = Support(channels)
        self.sent_output_layer = Support(channels)
        self.start_output_layer = Place(channels)
        self.end_output_layer = Place(channels)
        self.type_linear_1 = dense(channels, channels)
        self.bert_layer_norm = ReaderNorm(channels)
        self.type_linear_2 = dense(channels, 3)

    def construct(
        self, para_state: Tensor, sent_state: Tensor, state: Tensor, context_mask: Tensor
    ) -> tuple[Tensor, ...]:
        kind = self.bert_layer_norm(ops.relu(self.type_linear_1(state[:, 0])))
        return (
            self.type_linear_2(kind),
            self.start_output_layer(state, context_mask),
            self.end_output_layer(state, context_mask),
            self.para_output_layer(para_state) + self.para_bias,
            self.sent_output_layer(sent_state) + self.sent_bias,
        )


class RerankerNorm(nn.Cell):
    """Layer norm: (…, W) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = _parameter("ones", width)
        self.bias = _parameter("zeros", width)

    def construct(self, x: Tensor) -> Tensor:
        return normalised(x, self.weight, self.bias)


class Reranker(nn.Cell):
    """The first token's state (B, C) -> logits (B, 2): whether a path has no answer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bln_1 = RerankerNorm(2 * channels)
        self.linear_1 = dense(channels, 2 * channels)
        self.linear_2 = dense(2 * channels, 2)

    def construct(self, cls_emd: Tensor) -> Tensor:
        return self.linear_2(self.bln_1(ops.relu(self.linear_1(cls_emd))))


def tprr_downstream(part: str = "reader", hidden_size: int = 4096) -> nn.Cell:
    """One of TPRR's heads, over states of `tprr_albert`.

    Args:
        part: "reader" or "reranker".
        hidden_size: channels of the states.

    Raises:
        ValueError: another part.
    """
    if part not in ("reader", "reranker"):
        raise ValueError(f"a part of TPRR is reader or reranker, not {part!r}")
    return Reader(hidden_size) if part == "reader" else Reranker(hidden_size)
