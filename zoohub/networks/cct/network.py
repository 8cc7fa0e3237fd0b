"""Compact convolutional transformer (CCT) of every size.

Source: Hassani et al., "Escaping the Big Data Paradigm with Compact Transformers" (2021).
Parameter names are those of the models repository (research/cv/cct), without the prefix of its
loss cell.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import HeNormal, TruncatedNormal, initializer
from numpy.typing import NDArray

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import SeparateAttention, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.patch_embed import to_tokens

_STEM_CHANNELS = 64


def _sine(places: int, channels: int) -> NDArray[np.float32]:
    """(1, places, channels): sines of the place in even channels, cosines in odd ones."""
    steps = 10000.0 ** (2 * (np.arange(channels) // 2) / channels)
    angles = np.arange(places)[:, None] / steps
    table = np.where(np.arange(channels) % 2 == 0, np.sin(angles), np.cos(angles))
    return table[None].astype(np.float32)


class Tokenizer(nn.Cell):
    """Convolutions, each with ReLU and max pooling: (B, in_channels, S, S) -> tokens."""

    def __init__(
        self, in_channels: int, channels: int, layers: int, kernel: int, stride: int, padding: int
    ) -> None:
        super().__init__()
        widths = [in_channels, *[_STEM_CHANNELS] * (layers - 1), channels]
        init = HeNormal(mode="fan_in", nonlinearity="relu")
        self.conv_layers = nn.CellList(
            [
                nn.SequentialCell(
                    [
                        conv2d(before, after, kernel, stride, padding, weight_init=init),
                        nn.ReLU(),
                        nn.MaxPool2d(3, 2, pad_mode="same"),
                    ]
                )
                for before, after in pairwise(widths)
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        for layer in self.conv_layers:
            x = layer(x)
        return to_tokens(x)


class EncoderLayer(nn.Cell):
    """Attention after a norm, then dense layers around a norm of the stream itself.

    (B, N, C) -> the same shape.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        hidden: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.pre_norm = layer_norm(channels, norm_eps)
        self.self_attn = SeparateAttention(channels, num_heads, qkv_bias=False, dropout=dropout)
        self.fc1 = dense(channels, hidden)
        self.norm1 = layer_norm(channels, norm_eps)
        self.fc2 = dense(hidden, channels)
        self.act = gelu(exact_gelu)
        self.dropout = nn.Dropout(p=dropout)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.drop_path(self.self_attn(self.pre_norm(x))))
        y = self.fc2(self.dropout(self.act(self.fc1(x))))
        return x + self.drop_path(self.dropout(y))


class Classifier(nn.Cell):
    """Encoder, a pooling that weighs tokens, and a dense layer: (B, N, C) -> logits."""

    def __init__(
        self,
        places: int,
        channels: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        num_classes: int,
        learnt_positions: bool,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        if learnt_positions:
            start = initializer(TruncatedNormal(0.2), (1, places, channels))
        else:
            start = Tensor(_sine(places, channels))
        self.positional_emb = Parameter(start, requires_grad=learnt_positions)
        self.attention_pool = dense(channels, 1)
        self.dropout = nn.Dropout(p=dropout)
        options = (num_heads, int(channels * mlp_ratio), norm_eps, exact_gelu, dropout)
        rates = drop_path_rates(drop_path, depth)
        self.blocks = nn.CellList([EncoderLayer(channels, *options, rate) for rate in rates])
        self.norm = layer_norm(channels, norm_eps)
        self.fc = dense(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.dropout(x + self.positional_emb)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        weights = ops.transpose(ops.softmax(self.attention_pool(x), 1), (0, 2, 1))
        return self.fc(weighted_sum(weights, x)[:, 0])


class CCT(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(self, tokenizer: Tokenizer, classifier: Classifier) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.classifier = classifier

    def construct(self, x: Tensor) -> Tensor:
        return self.classifier(self.tokenizer(x))


def cct(
    image_size: int = 224,
    embed_dim: int = 384,
    depth: int = 14,
    num_heads: int = 6,
    mlp_ratio: float = 3.0,
    conv_layers: int = 2,
    kernel_size: int = 7,
    num_classes: int = 1000,
    in_channels: int = 3,
    learnt_positions: bool = True,
    norm_eps: float = 1e-5,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.1,
) -> CCT:
    """CCT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        embed_dim: channels of a token: 384 (CCT-14), 256 (CCT-7).
        depth: blocks.
        num_heads: heads of each attention.
        mlp_ratio: hidden channels of each MLP, in multiples of `embed_dim`.
        conv_layers: convolutions of the tokenizer.
        kernel_size: of these: 7, or 3 for pictures of 32 pixels; strides follow from it.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        learnt_positions: a learnt position embedding; sines and cosines otherwise.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
    """
    stride, padding = max(1, kernel_size // 2 - 1), max(1, kernel_size // 2)
    side = image_size
    for _ in range(conv_layers):
        side = ((side + 2 * padding - kernel_size) // stride + 2) // 2
    tokenizer = Tokenizer(in_channels, embed_dim, conv_layers, kernel_size, stride, padding)
    classifier = Classifier(
        side * side,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        learnt_positions,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
    return CCT(tokenizer, classifier)
