"""What both versions of Swin are built of: stages of blocks, and the network around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import Tensor, nn

from zoohub.networks.layers.drop_path import drop_path_rates
from zoohub.networks.layers.features import FeatureMap
from zoohub.networks.layers.patch_embed import PatchEmbed, to_map
from zoohub.networks.layers.window import Grid, PatchMerging

# channels, grid, heads, window, shift, drop path -> a block on (B, H·W, channels)
MakeBlock = Callable[[int, Grid, int, int, int, float], nn.Cell]

# mindcv filled its list of stages one by one, by which all but the first fell under the first.
PUBLISHED_NAMES = (
    (r"layers\.0\.(.+)", r"0.\1"),
    (r"layers\.(\d+)\.(.+)", r"0.blocks.\1.\2"),
)


class Stage(nn.Cell):
    """Blocks, every second one shifted by half a window, and the merging after them.

    (B, H·W, C) -> the blocks' output, and what the next stage takes: (B, H·W / 4, 2 C), or the
    same without merging.
    """

    def __init__(
        self,
        make_block: MakeBlock,
        channels: int,
        grid: Grid,
        heads: int,
        window: int,
        rates: Sequence[float],
        merging: PatchMerging | None,
    ) -> None:
        super().__init__()
        # A window as large as the picture has nowhere to shift.
        whole = min(grid) <= window
        shifts = (0, 0 if whole else window // 2)
        self.blocks = nn.CellList(
            [
                make_block(channels, grid, heads, min(window, *grid), shifts[index % 2], rate)
                for index, rate in enumerate(rates)
            ]
        )
        self.downsample = merging

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x)


class SwinBody(nn.Cell):
    """(B, in_channels, S, S) -> the last stage's tokens (B, N, C), or the maps of `out_indices`.

    The networks add norm and classifier; `channels` is what they see.
    """

    def __init__(
        self,
        make_block: MakeBlock,
        image_size: int,
        patch_size: int,
        in_channels: int,
        embed_dim: int,
        depths: Sequence[int],
        num_heads: Sequence[int],
        window_size: int,
        norm_eps: float,
        merging_norm_eps: float,
        norm_last: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size, norm_eps=norm_eps)
        self.pos_drop = nn.Dropout(p=dropout)
        rates = drop_path_rates(drop_path, sum(depths))
        side = image_size // patch_size
        stages, maps, grids, start = [], [], [], 0
        for index, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            channels, grid = embed_dim * 2**index, (side // 2**index, side // 2**index)
            last = index == len(depths) - 1
            merging = None if last else PatchMerging(grid, channels, merging_norm_eps, norm_last)
            own = rates[start : start + depth]
            stages.append(Stage(make_block, channels, grid, heads, window_size, own, merging))
            maps.append(FeatureMap(channels, patch_size * 2**index))
            grids.append(grid)
            start += depth
        self.layers = nn.CellList(stages)
        self.grids = tuple(grids)
        self.channels = maps[-1].channels
        self.feature_info = tuple(maps[index] for index in out_indices or ())

    def features(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The last stage's tokens, or the chosen stages' maps (B, C, H, W)."""
        x = self.pos_drop(self.patch_embed(x))
        maps: tuple[Tensor, ...] = ()
        for index, stage in enumerate(self.layers):
            out, x = stage(x)
            if self.out_indices is not None and index in self.out_indices:
                height, width = self.grids[index]
                maps = (*maps, to_map(out, height, width))
        return x if self.out_indices is None else maps


def check_sizes(
    image_size: int,
    patch_size: int,
    window_size: int,
    depths: Sequence[int],
    num_heads: Sequence[int],
) -> None:
    """Raises ValueError where stages and heads differ in number, or a stage's grid is odd or no
    whole number of windows."""
    if len(depths) != len(num_heads):
        raise ValueError(f"{len(depths)} depths but num_heads for {len(num_heads)} stages")
    smallest = patch_size * 2 ** (len(depths) - 1)
    if image_size % smallest:
        raise ValueError(f"image_size={image_size} is not a multiple of {smallest}")
    grids = [image_size // patch_size // 2**stage for stage in range(len(depths))]
    split = [grid for grid in grids if grid > window_size and grid % window_size]
    if split:
        fits = [w for w in range(2, grids[0] + 1) if all(g <= w or g % w == 0 for g in grids)]
        near = min(fits, key=lambda window: abs(window - window_size))
        raise ValueError(
            f"image_size={image_size} makes a grid of {split[0]}, which windows of {window_size} "
            f"do not divide; window_size={near} does"
        )
