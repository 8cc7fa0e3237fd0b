"""CoaT and CoaT-Lite of every size.

Source: Xu et al., "Co-Scale Conv-Attentional Image Transformers" (2021). Parameter names are those
of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.coat.blocks import (
    HEADS,
    ConvPosition,
    ConvRelativePosition,
    ParallelBlock,
    SerialBlock,
)
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend, to_map

_EMBED_NORM_EPS = 1e-5


def _published_names(parallel: bool) -> tuple[tuple[str, str], ...]:
    """mindcv's shared cells bear the name of the block that took them last."""
    crpe = r"parallel_blocks.0.factoratt_crpe\1.crpe.\2"
    return (
        (r"cpe(\d)\.(.+)", r"serial_blocks\1.0.cpe.\2"),
        *(((r"crpe([234])\.(.+)", crpe),) if parallel else ()),
        (r"crpe(\d)\.(.+)", r"serial_blocks\1.0.factoratt_crpe.crpe.\2"),
    )


class CoaT(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        widths: Sequence[int],
        serial_depths: Sequence[int],
        parallel_depth: int,
        mlp_ratios: Sequence[float],
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.grids = tuple(image_size // patch_size // 2**stage for stage in range(4))
        self.cls_token1, self.cls_token2, self.cls_token3, self.cls_token4 = (
            Parameter(initializer(TruncatedNormal(0.02), (1, 1, width))) for width in widths
        )
        self.patch_embed1, self.patch_embed2, self.patch_embed3, self.patch_embed4 = (
            PatchEmbed(before, width, size, norm_eps=_EMBED_NORM_EPS)
            for before, width, size in zip(
                (in_channels, *widths[:3]), widths, (patch_size, 2, 2, 2), strict=True
            )
        )
        sizes = list(zip(widths, self.grids, strict=True))
        cpes = [ConvPosition(*size) for size in sizes]
        crpes = [ConvRelativePosition(*size) for size in sizes]
        self.cpe1, self.cpe2, self.cpe3, self.cpe4 = cpes
        self.crpe1, self.crpe2, self.crpe3, self.crpe4 = crpes
        numerics = (norm_eps, exact_gelu, dropout, drop_path)
        self.serial_blocks1, self.serial_blocks2, self.serial_blocks3, self.serial_blocks4 = (
            nn.CellList(
                [
                    SerialBlock(
                        widths[stage], mlp_ratios[stage], *numerics, cpes[stage], crpes[stage]
                    )
                    for _ in range(depth)
                ]
            )
            for stage, depth in enumerate(serial_depths)
        )
        self.parallel = parallel_depth > 0
        if self.parallel:
            options = (widths[1], self.grids[1:], mlp_ratios[1], *numerics, cpes[1:], crpes[1:])
            self.parallel_blocks = nn.CellList(
                [ParallelBlock(*options) for _ in range(parallel_depth)]
            )
        self.feature_info = tuple(
            FeatureMap(widths[stage], patch_size * 2**stage) for stage in out_indices or ()
        )
        if out_indices is None:
            self.add_head(widths, num_classes, norm_eps)
        name_parameters(self, _published_names(self.parallel))

    def add_head(self, widths: Sequence[int], num_classes: int, norm_eps: float) -> None:
        """What turns class tokens into logits."""
        if self.parallel:
            self.norm2 = layer_norm(widths[1], norm_eps)
            self.norm3 = layer_norm(widths[2], norm_eps)
        self.norm4 = layer_norm(widths[3], norm_eps)
        if self.parallel:
            self.aggregate = conv2d(3, 1, 1, bias=True)  # one number for each stage's token
        self.head = dense(widths[3], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x1 = prepend(self.cls_token1, self.patch_embed1(x))
        for block in self.serial_blocks1:
            x1 = block(x1)
        x2 = prepend(self.cls_token2, self.patch_embed2(self.places(x1, 0)))
        for block in self.serial_blocks2:
            x2 = block(x2)
        x3 = prepend(self.cls_token3, self.patch_embed3(self.places(x2, 1)))
        for block in self.serial_blocks3:
            x3 = block(x3)
        x4 = prepend(self.cls_token4, self.patch_embed4(self.places(x3, 2)))
        for block in self.serial_blocks4:
            x4 = block(x4)
        if self.parallel:
            for block in self.parallel_blocks:
                x2, x3, x4 = block(x2, x3, x4)
        if self.out_indices is None:
            return self.classify(x2, x3, x4)
        stages = (x1, x2, x3, x4)
        maps: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            maps = (*maps, self.places(stages[index], index))
        return maps

    def places(self, x: Tensor, stage: int) -> Tensor:
        """A stage's tokens but the class token, as a map (B, C, H, W)."""
        return to_map(x[:, 1:], self.grids[stage], self.grids[stage])

    def classify(self, x2: Tensor, x3: Tensor, x4: Tensor) -> Tensor:
        """Logits from the class token of the last stage, or of the three parallel ones."""
        token = self.norm4(x4)[:, :1]
        if self.parallel:
            tokens = ops.concat((self.norm2(x2)[:, :1], self.norm3(x3)[:, :1], token), 1)
            token = self.aggregate(ops.expand_dims(tokens, 2))[:, :, 0]
        return self.head(token[:, 0])


def coat(
    image_size: int = 224,
    patch_size: int = 4,
    embed_dims: Sequence[int] = (64, 128, 256, 320),
    serial_depths: Sequence[int] = (2, 2, 2, 2),
    parallel_depth: int = 0,
    mlp_ratios: Sequence[float] = (8.0, 8.0, 4.0, 4.0),
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool = True,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> CoaT:
    """CoaT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels.
        patch_size: side of the first stage's patches in pixels; each next stage halves the grid.
        embed_dims: channels of each of the four stages, multiples of eight; the last three are
            equal where there are parallel blocks.
        serial_depths: blocks of each stage by itself.
        parallel_depth: blocks of the last three stages together: 6, or 0 (CoaT-Lite).
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms but those of the patch embeddings.
        exact_gelu: GELU by the error function; tanh otherwise.
        dropout: share of values set to zero in training.
        drop_path: share of samples for which each block is skipped in training.
        features_only: leave out norms and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: other than four stages, or channels that do not fit heads or one another.
    """
    if {len(embed_dims), len(serial_depths), len(mlp_ratios)} != {4}:
        raise ValueError("coat has four stages: give each argument of stages four values")
    if any(width % HEADS for width in embed_dims):
        raise ValueError(f"embed_dims={tuple(embed_dims)} should be multiples of {HEADS}")
    if parallel_depth and len(set(embed_dims[1:])) > 1:
        raise ValueError("parallel blocks need the same embed_dims in the last three stages")
    return CoaT(
        image_size,
        patch_size,
        embed_dims,
        serial_depths,
        parallel_depth,
        mlp_ratios,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, 4) if features_only else None,
    )
