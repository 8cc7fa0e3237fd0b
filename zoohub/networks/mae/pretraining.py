"""Masked autoencoder: the network that is pretrained.

Source: He et al., "Masked Autoencoders Are Scalable Vision Learners" (2022).
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Normal, initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import drop_path_rates
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.positions import sine_embedding
from zoohub.networks.layers.vit_block import ViTBlock

_SHARE_HIDDEN = 0.75


def _positions(grid: int, channels: int) -> Parameter:
    """Fixed positions (1, 1 + grid², channels), zero for the class token."""
    table = sine_embedding(grid, channels).astype(np.float32)
    table = np.concatenate((np.zeros((1, channels), np.float32), table))
    return Parameter(Tensor(table[None]), requires_grad=False)


def _take(x: Tensor, rows: Tensor) -> Tensor:
    """Of each sample's tokens (B, N, C) those numbered `rows` (B, M): (B, M, C)."""
    index = ops.tile(ops.expand_dims(rows, -1), (1, 1, x.shape[2]))
    return ops.gather_elements(x, 1, index)


class MaskedAutoencoder(nn.Cell):
    """Pictures (B, C, S, S) and a mask (B, patches) -> the loss, a number.

    The mask is 1 where a patch is hidden and 0 where it is seen; three quarters must be hidden.
    The loss is the mean square error over the hidden patches, each normalised to mean 0 and
    standard deviation 1. In evaluation mode the predicted patches (B, patches, pixels · C) follow.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        decoder: tuple[int, int, int],
    ) -> None:
        super().__init__()
        width, blocks, heads = decoder
        self.grid = image_size // patch_size
        self.patch_size = patch_size
        self.seen = int(self.grid**2 * (1 - _SHARE_HIDDEN))
        self.cls_token = Parameter(initializer(Normal(0.02), (1, 1, embed_dim)))
        self.pos_embed = _positions(self.grid, embed_dim)
        self.mask_token = Parameter(initializer(Normal(0.02), (1, 1, width)))
        self.decoder_pos_embed = _positions(self.grid, width)
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size)
        rates = drop_path_rates(drop_path, depth)
        options = (mlp_ratio, norm_eps, exact_gelu, True, dropout)
        self.blocks = nn.CellList(
            [ViTBlock(embed_dim, num_heads, *options, rate) for rate in rates]
        )
        self.norm = layer_norm(embed_dim, norm_eps)
        self.decoder_embed = dense(embed_dim, width)
        self.decoder_blocks = nn.CellList(
            [ViTBlock(width, heads, *options, rate) for rate in rates[:blocks]]
        )
        self.decoder_norm = layer_norm(width, norm_eps)
        self.decoder_pred = dense(width, patch_size**2 * in_channels)
        self.sort = ops.Sort()

    def construct(self, x: Tensor, mask: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        mask = ops.reshape(mask, (-1, self.grid**2)).astype(mstype.float32)
        _, order = self.sort(mask)  # seen patches first
        _, back = self.sort(order.astype(mstype.float32))
        predicted = self.decode(self.encode(x, order), back)
        error = ops.square(predicted - self.target(x)).mean(-1)
        loss = (error * mask).sum() / mask.sum()
        return loss if self.training else (loss, predicted)

    def encode(self, x: Tensor, order: Tensor) -> Tensor:
        """The class token and the seen patches: (B, 1 + seen, embed_dim)."""
        tokens = self.patch_embed(x) + self.pos_embed[:, 1:]
        tokens = _take(tokens, order[:, : self.seen])
        tokens = prepend(self.cls_token + self.pos_embed[:, :1], tokens)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def decode(self, tokens: Tensor, back: Tensor) -> Tensor:
        """All patches' pixels, in the picture's order."""
        tokens = self.decoder_embed(tokens)
        hidden = ops.tile(self.mask_token, (tokens.shape[0], self.grid**2 - self.seen, 1))
        patches = _take(ops.concat((tokens[:, 1:], hidden), 1), back)
        tokens = ops.concat((tokens[:, :1], patches), 1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            tokens = block(tokens)
        return self.decoder_pred(self.decoder_norm(tokens))[:, 1:]

    def target(self, x: Tensor) -> Tensor:
        """Each patch's pixels (row, column, channel), normalised by themselves."""
        channels, side = x.shape[1], self.patch_size
        x = ops.reshape(x, (-1, channels, self.grid, side, self.grid, side))
        x = ops.transpose(x, (0, 2, 4, 3, 5, 1))
        x = ops.reshape(x, (-1, self.grid**2, side * side * channels))
        centred = x - ops.mean(x, -1, True)
        return centred / ops.sqrt(ops.mean(ops.square(centred), -1, True))
