"""CrossViT of every size.

Source: Chen et al., "CrossViT: Cross-Attention Multi-Scale Vision Transformer for Image
Classification" (2021). Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import SeparateAttention
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.resample import resize_corners
from zoohub.networks.layers.vit_block import ViTBlock

# mindcv filled its list of stages one by one; what came after the first fell under it.
_PUBLISHED_NAMES = (
    (r"blocks\.0\.(fusion\..+)\.attn\.([qkv])\.(.+)", r"0.\1.attn.w\2.\3"),
    (r"blocks\.(\d+)\.(fusion\..+)\.attn\.([qkv])\.(.+)", r"0.blocks.0.\1.\2.attn.w\3.\4"),
    (r"blocks\.0\.(.+)", r"0.\1"),
    (r"blocks\.(\d+)\.(.+)", r"0.blocks.0.\1.\2"),
    (r"head\.branches\.(.+)", r"head.\1"),
)
_OUTER_NORM_EPS = 1e-6  # of the norms outside of the branches' blocks


class Projection(nn.SequentialCell):
    """A branch's class token in the other branch's channels: norm, GELU, dense."""

    def __init__(self, channels: int, out_channels: int, exact_gelu: bool) -> None:
        norm = layer_norm(channels, _OUTER_NORM_EPS)
        super().__init__([norm, gelu(exact_gelu), dense(channels, out_channels)])


class CrossAttention(nn.Cell):
    """The first token looks at all: (B, N, C) -> (B, 1, C)."""

    def __init__(
        self, channels: int, num_heads: int, norm_eps: float, dropout: float, drop_path: float
    ) -> None:
        super().__init__()
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = SeparateAttention(channels, num_heads, dropout=dropout, first_asks=True)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        return x[:, :1] + self.drop_path(self.attn(self.norm1(x)))


class MultiScaleBlock(nn.Cell):
    """Two branches' own blocks, then each class token looks at the other branch's patches.

    ((B, N0, C0), (B, N1, C1)) -> the same shapes.
    """

    def __init__(
        self,
        widths: tuple[int, int],
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratios: Sequence[float],
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        rates: Sequence[float],
    ) -> None:
        super().__init__()
        blocks = []
        for width, depth, heads, ratio in zip(widths, depths, num_heads, mlp_ratios, strict=True):
            options = (width, heads, ratio, norm_eps, exact_gelu, True, dropout)
            blocks.append(nn.SequentialCell([ViTBlock(*options, rates[i]) for i in range(depth)]))
        self.blocks = nn.CellList(blocks)
        ways = ((0, 1), (1, 0))
        self.projs = nn.CellList(
            [Projection(widths[here], widths[there], exact_gelu) for here, there in ways]
        )
        self.fusion = nn.CellList(
            [
                nn.SequentialCell(
                    [CrossAttention(widths[to], num_heads[to], norm_eps, dropout, rates[-1])]
                )
                for _, to in ways
            ]
        )
        self.revert_projs = nn.CellList(
            [Projection(widths[there], widths[here], exact_gelu) for here, there in ways]
        )

    def construct(self, branches: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        small, large = self.blocks[0](branches[0]), self.blocks[1](branches[1])
        return self.fuse(0, small, large), self.fuse(1, large, small)

    def fuse(self, way: int, own: Tensor, other: Tensor) -> Tensor:
        """`own` tokens, their class token informed by the `other` branch's patches."""
        token = self.projs[way](own[:, :1])
        token = self.fusion[way](ops.concat((token, other[:, 1:]), 1))
        return ops.concat((self.revert_projs[way](token), own[:, 1:]), 1)


class Heads(nn.Cell):
    """(B, both branches' channels) -> logits (B, classes): the mean of what the two say."""

    def __init__(self, widths: tuple[int, int], num_classes: int) -> None:
        super().__init__()
        self.width = widths[0]
        self.branches = nn.CellList([dense(width, num_classes) for width in widths])

    def construct(self, x: Tensor) -> Tensor:
        logits0 = self.branches[0](x[:, : self.width])
        return (logits0 + self.branches[1](x[:, self.width :])) / 2.0


class CrossViT(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes)."""

    def __init__(
        self,
        branch_sizes: tuple[int, int],
        patch_sizes: tuple[int, int],
        widths: tuple[int, int],
        depths: Sequence[Sequence[int]],
        num_heads: Sequence[int],
        mlp_ratios: Sequence[float],
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        init = TruncatedNormal(0.02)
        places = [(s // p) ** 2 for s, p in zip(branch_sizes, patch_sizes, strict=True)]
        self.pos_embed = ParameterTuple(
            [
                Parameter(initializer(init, (1, 1 + n, width)), name=f"pos_embed.{i}")
                for i, (n, width) in enumerate(zip(places, widths, strict=True))
            ]
        )
        self.cls_token = ParameterTuple(
            [
                Parameter(initializer(init, (1, 1, width)), name=f"cls_token.{i}")
                for i, width in enumerate(widths)
            ]
        )
        self.sizes = branch_sizes
        self.patch_embed = nn.CellList(
            [
                PatchEmbed(in_channels, width, patch_size)
                for width, patch_size in zip(widths, patch_sizes, strict=True)
            ]
        )
        self.pos_drop = nn.Dropout(p=dropout)
        counts = [max(stage) for stage in depths]
        rates = drop_path_rates(drop_path, sum(counts))
        stages, start = [], 0
        for stage, count in zip(depths, counts, strict=True):
            own = rates[start : start + count]
            options = (num_heads, mlp_ratios, norm_eps, exact_gelu, dropout, own)
            stages.append(MultiScaleBlock(widths, stage, *options))
            start += count
        self.blocks = nn.CellList(stages)
        self.norm = nn.CellList([layer_norm(width, _OUTER_NORM_EPS) for width in widths])
        self.head = Heads(widths, num_classes)
        name_parameters(self, _PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor:
        branches = (self.embed(0, x), self.embed(1, x))
        for stage in self.blocks:
            branches = stage(branches)
        classes0, classes1 = self.norm[0](branches[0])[:, 0], self.norm[1](branches[1])[:, 0]
        return self.head(ops.concat((classes0, classes1), 1))

    def embed(self, branch: int, x: Tensor) -> Tensor:
        """One branch's tokens, the class token first."""
        size = self.sizes[branch]
        tokens = self.patch_embed[branch](resize_corners(x, size, size))
        tokens = prepend(self.cls_token[branch], tokens) + self.pos_embed[branch]
        return self.pos_drop(tokens)


def crossvit(
    branch_sizes: Sequence[int] = (240, 224),
    patch_sizes: Sequence[int] = (12, 16),
    embed_dims: Sequence[int] = (128, 256),
    depths: Sequence[Sequence[int]] = ((1, 3), (1, 3), (1, 3)),
    num_heads: Sequence[int] = (4, 4),
    mlp_ratios: Sequence[float] = (3.0, 3.0),
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> CrossViT:
    """CrossViT: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        branch_sizes: to what side in pixels each branch resizes the picture; position embeddings
            are made for it.
        patch_sizes: side of a patch in pixels, by branch.
        embed_dims: channels of a token, by branch.
        depths: for each stage the blocks of both branches.
        num_heads: heads of the attention, by branch.
        mlp_ratios: hidden channels of each MLP in multiples of its input's, by branch.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms in the blocks; that of the others is 1e-6.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.

    Raises:
        ValueError: other than two branches.
    """
    for name, given in (
        ("branch_sizes", branch_sizes),
        ("patch_sizes", patch_sizes),
        ("embed_dims", embed_dims),
    ):
        if len(given) != 2:
            raise ValueError(f"{name}={tuple(given)} should be for two branches")
    return CrossViT(
        (branch_sizes[0], branch_sizes[1]),
        (patch_sizes[0], patch_sizes[1]),
        (embed_dims[0], embed_dims[1]),
        depths,
        num_heads,
        mlp_ratios,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
