"""The blocks of CoaT. Tokens are a class token and then the places of a square map."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.attention import merge_heads, split_heads, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.patch_embed import to_map, to_tokens
from zoohub.networks.layers.resample import resize_corners

# Convolution windows and how many of eight heads use each.
_WINDOWS = ((3, 2), (5, 3), (7, 3))
HEADS = sum(heads for _, heads in _WINDOWS)


class ConvPosition(nn.Cell):
    """A 3×3 convolution of each channel, added to the places: (B, 1 + grid², C) -> the same."""

    def __init__(self, channels: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.proj = conv2d(channels, channels, 3, groups=channels, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        places = to_map(x[:, 1:], self.grid, self.grid)
        return ops.concat((x[:, :1], to_tokens(self.proj(places) + places)), 1)


class ConvRelativePosition(nn.Cell):
    """Values summed over windows of several sizes by what each head has learnt of positions.

    Queries and values of the places (B, heads, grid², C / heads) -> the same shape.
    """

    def __init__(self, channels: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        width = channels // HEADS
        self.widths = [heads * width for _, heads in _WINDOWS]
        self.conv_list = nn.CellList(
            [
                conv2d(heads * width, heads * width, window, groups=heads * width, bias=True)
                for window, heads in _WINDOWS
            ]
        )

    def construct(self, query: Tensor, value: Tensor) -> Tensor:
        _, heads, places, width = value.shape
        value = ops.reshape(
            ops.transpose(value, (0, 1, 3, 2)), (-1, heads * width, self.grid, self.grid)
        )
        parts = ops.split(value, self.widths, 1)
        summed: tuple[Tensor, ...] = ()
        for index, conv in enumerate(self.conv_list):
            summed = (*summed, conv(parts[index]))
        out = ops.reshape(ops.concat(summed, 1), (-1, heads, width, places))
        return query * ops.transpose(out, (0, 1, 3, 2))


class FactorAttention(nn.Cell):
    """Attention whose softmax is over the places, so that its cost grows with them only once.

    (B, 1 + grid², C) -> the same shape. `crpe` is shared among a stage's blocks.
    """

    def __init__(self, channels: int, crpe: ConvRelativePosition, dropout: float) -> None:
        super().__init__()
        self.scale = (channels // HEADS) ** -0.5
        self.q = dense(channels, channels)
        self.k = dense(channels, channels)
        self.v = dense(channels, channels)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)
        self.crpe = crpe

    def construct(self, x: Tensor) -> Tensor:
        q, v = split_heads(self.q(x), HEADS), split_heads(self.v(x), HEADS)
        # mindcv takes the softmax of the transposed keys over their last axis: the tokens.
        k = ops.softmax(ops.transpose(split_heads(self.k(x), HEADS), (0, 1, 3, 2)), -1)
        attended = weighted_sum(weighted_sum(q, k), v) * self.scale
        places = attended[:, :, 1:] + self.crpe(q[:, :, 1:], v[:, :, 1:])
        out = merge_heads(ops.concat((attended[:, :, :1], places), 2))
        return self.proj_drop(self.proj(out))


class SerialBlock(nn.Cell):
    """Positions, attention and an MLP within one stage: (B, 1 + grid², C) -> the same shape."""

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        cpe: ConvPosition,
        crpe: ConvRelativePosition,
    ) -> None:
        super().__init__()
        self.cpe = cpe
        self.norm1 = layer_norm(channels, norm_eps)
        self.factoratt_crpe = FactorAttention(channels, crpe, dropout)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.factoratt_crpe(self.norm1(self.cpe(x))))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class ResizeTokens(nn.Cell):
    """(B, 1 + old², C) -> (B, 1 + new², C), the class token staying."""

    def __init__(self, old: int, new: int) -> None:
        super().__init__()
        self.old, self.new = old, new

    def construct(self, x: Tensor) -> Tensor:
        places = resize_corners(to_map(x[:, 1:], self.old, self.old), self.new, self.new)
        return ops.concat((x[:, :1], to_tokens(places)), 1)


class ParallelBlock(nn.Cell):
    """Stages 2 to 4 attend each for itself, and exchange what they found.

    Three (B, 1 + grid², C) of equal C -> the same shapes. The stages share one MLP.
    """

    def __init__(
        self,
        channels: int,
        grids: Sequence[int],
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        cpes: Sequence[ConvPosition],
        crpes: Sequence[ConvRelativePosition],
    ) -> None:
        super().__init__()
        self.cpe2, self.cpe3, self.cpe4 = cpes
        self.norm12 = layer_norm(channels, norm_eps)
        self.norm13 = layer_norm(channels, norm_eps)
        self.norm14 = layer_norm(channels, norm_eps)
        self.factoratt_crpe2 = FactorAttention(channels, crpes[0], dropout)
        self.factoratt_crpe3 = FactorAttention(channels, crpes[1], dropout)
        self.factoratt_crpe4 = FactorAttention(channels, crpes[2], dropout)
        self.norm22 = layer_norm(channels, norm_eps)
        self.norm23 = layer_norm(channels, norm_eps)
        self.norm24 = layer_norm(channels, norm_eps)
        self.mlp2 = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)
        g2, g3, g4 = grids
        self.from3to2, self.from4to2 = ResizeTokens(g3, g2), ResizeTokens(g4, g2)
        self.from2to3, self.from4to3 = ResizeTokens(g2, g3), ResizeTokens(g4, g3)
        self.from2to4, self.from3to4 = ResizeTokens(g2, g4), ResizeTokens(g3, g4)

    def construct(self, x2: Tensor, x3: Tensor, x4: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x2, x3, x4 = self.cpe2(x2), self.cpe3(x3), self.cpe4(x4)
        y2 = self.factoratt_crpe2(self.norm12(x2))
        y3 = self.factoratt_crpe3(self.norm13(x3))
        y4 = self.factoratt_crpe4(self.norm14(x4))
        x2 = x2 + self.drop_path(y2 + self.from3to2(y3) + self.from4to2(y4))
        x3 = x3 + self.drop_path(y3 + self.from4to3(y4) + self.from2to3(y2))
        x4 = x4 + self.drop_path(y4 + self.from3to4(y3) + self.from2to4(y2))
        x2 = x2 + self.drop_path(self.mlp2(self.norm22(x2)))
        x3 = x3 + self.drop_path(self.mlp2(self.norm23(x3)))
        return x2, x3, x4 + self.drop_path(self.mlp2(self.norm24(x4)))
