"""A ViT-L/16-sized network (304 million parameters, 1.2 GB) to measure loading with.

Parameter names and shapes are those of mindcv's vit_l_16_224, so that one file serves both roads.
"""

from __future__ import annotations

from typing import Any

import mindspore as ms
from mindspore import nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer


class _Attention(nn.Cell):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.qkv = nn.Dense(width, 3 * width)
        self.proj = nn.Dense(width, width)

    def construct(self, x: Any) -> Any:
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.transpose(2, 0, 3, 1, 4)
        weights = ops.softmax(ops.matmul(q, k.swapaxes(-2, -1)) * self.scale, axis=-1)
        return self.proj(ops.matmul(weights, v).swapaxes(1, 2).reshape(batch, tokens, width))


class _Mlp(nn.Cell):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Dense(width, 4 * width)
        self.fc2 = nn.Dense(4 * width, width)

    def construct(self, x: Any) -> Any:
        return self.fc2(ops.gelu(self.fc1(x)))


class _Block(nn.Cell):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm((width,), epsilon=1e-6)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm((width,), epsilon=1e-6)
        self.mlp = _Mlp(width)

    def construct(self, x: Any) -> Any:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _Patches(nn.Cell):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, 16, 16, pad_mode="valid", has_bias=True)

    def construct(self, x: Any) -> Any:
        return self.proj(x).flatten(start_dim=2).swapaxes(1, 2)


class VisionTransformer(nn.Cell):
    """Images (N, 3, 224, 224) to logits (N, 1000)."""

    def __init__(self, width: int = 1024, depth: int = 24, heads: int = 16) -> None:
        super().__init__()
        normal = TruncatedNormal(0.02)
        self.cls_token = ms.Parameter(initializer(normal, (1, 1, width)))
        self.pos_embed = ms.Parameter(initializer(normal, (1, 197, width)))
        self.patch_embed = _Patches(width)
        self.blocks = nn.CellList([_Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm((width,), epsilon=1e-6)
        self.head = nn.Dense(width, 1000)

    def construct(self, x: Any) -> Any:
        x = self.patch_embed(x)
        token = ops.broadcast_to(self.cls_token, (x.shape[0], 1, x.shape[2]))
        x = ops.cat((token, x), axis=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
