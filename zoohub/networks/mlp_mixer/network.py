"""MLP-Mixer of every size.

Source: Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision" (2021). Parameter names
are those of mindcv.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.patch_embed import to_tokens

# mindcv filled its list one by one; what came after the first block fell under it.
_PUBLISHED_NAMES = (
    (r"mixer_blocks\.0\.(.+)", r"0.\1"),
    (r"mixer_blocks\.(\d+)\.(.+)", r"0.token_mix.\1.\2"),
)


class FeedForward(nn.Cell):
    """Dense, GELU, dense over the last axis; shapes stay."""

    def __init__(self, channels: int, hidden: int, exact_gelu: bool, dropout: float) -> None:
        super().__init__()
        self.net = nn.SequentialCell(
            [
                dense(channels, hidden),
                gelu(exact_gelu),
                nn.Dropout(p=dropout),
                dense(hidden, channels),
                nn.Dropout(p=dropout),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        return self.net(x)


class SwapAxes(nn.Cell):
    """(B, N, C) -> (B, C, N)."""

    def construct(self, x: Tensor) -> Tensor:
        return ops.transpose(x, (0, 2, 1))


class MixerBlock(nn.Cell):
    """An MLP across the patches, then one across the channels: (B, N, C) -> the same shape."""

    def __init__(
        self,
        places: int,
        channels: int,
        token_dim: int,
        channel_dim: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        across = FeedForward(places, token_dim, exact_gelu, dropout)
        self.token_mix = nn.SequentialCell(
            [layer_norm(channels, norm_eps), SwapAxes(), across, SwapAxes()]
        )
        self.channel_mix = nn.SequentialCell(
            [
                layer_norm(channels, norm_eps),
                FeedForward(channels, channel_dim, exact_gelu, dropout),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.token_mix(x)
        return x + self.channel_mix(x)


class PatchTokens(nn.Cell):
    """(B, C, H, W) -> (B, H·W, C)."""

    def construct(self, x: Tensor) -> Tensor:
        return to_tokens(x)


class MlpMixer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        places: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        token_dim: int,
        channel_dim: int,
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        patches = nn.Conv2d(in_channels, embed_dim, patch_size, patch_size, pad_mode="valid")
        self.to_patch_embedding = nn.SequentialCell([patches, PatchTokens()])
        sizes = (places, embed_dim, token_dim, channel_dim, norm_eps, exact_gelu, dropout)
        self.mixer_blocks = nn.SequentialCell([MixerBlock(*sizes) for _ in range(depth)])
        self.layer_norm = layer_norm(embed_dim, norm_eps)
        self.mlp_head = dense(embed_dim, num_classes)
        name_parameters(self, _PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor:
        x = self.mixer_blocks(self.to_patch_embedding(x))
        return self.mlp_head(self.layer_norm(x).mean(1))


def mlp_mixer(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 768,
    depth: int = 12,
    token_dim: int = 384,
    channel_dim: int = 3072,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
) -> MlpMixer:
    """MLP-Mixer: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; it fixes the MLPs across patches.
        patch_size: side of a patch in pixels: 32, 16 or 14.
        embed_dim: channels of a patch: 512 (small), 768 (base), 1024 (large), 1280 (huge).
        depth: blocks: 8, 12, 24, 32.
        token_dim: hidden units of the MLPs across patches.
        channel_dim: hidden units of the MLPs across channels.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.

    Raises:
        ValueError: a size that patches do not divide.
    """
    if image_size % patch_size:
        raise ValueError(f"patches of {patch_size} pixels do not divide a picture of {image_size}")
    return MlpMixer(
        (image_size // patch_size) ** 2,
        patch_size,
        embed_dim,
        depth,
        token_dim,
        channel_dim,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
    )
