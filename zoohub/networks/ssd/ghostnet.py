"""GhostNet at 1.3 times its width as SSD reads it.

Source: Han et al., "GhostNet: More Features from Cheap Operations" (2020), in the form of
research/cv/ssd_ghostnet of the MindSpore models repository, which rounds some widths otherwise.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.ghostnet.network import Block, GhostBottleneck
from zoohub.networks.ssd.heads import ConvNorm

# kernel, hidden channels, channels, whether it excites, stride
_BLOCKS = (
    (3, 24, 20, False, 1),
    (3, 64, 32, False, 2),
    (3, 96, 32, False, 1),
    (5, 96, 52, True, 2),
    (5, 160, 52, True, 1),
    (3, 312, 104, False, 2),
    (3, 264, 104, False, 1),
    (3, 240, 104, False, 1),
    (3, 240, 104, False, 1),
    (3, 624, 144, True, 1),
    (3, 864, 144, True, 1),
    (5, 864, 208, True, 2),
    (5, 1248, 208, False, 1),
    (5, 1248, 208, True, 1),
    (5, 1248, 208, False, 1),
    (5, 1248, 208, True, 1),
)
_STEM, _CUT = 20, 12  # channels of the stem; layers up to 1/16


class GhostNet(nn.Cell):
    """-> 1/16, as wide as the next block expands it (864), and 1/32 (1248)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers: list[nn.Cell] = [ConvNorm(in_channels, _STEM, 3, 2, act=nn.ReLU)]
        width = _STEM
        for kernel, hidden, channels, excites, stride in _BLOCKS:
            block = Block(kernel, hidden, channels, hidden // 4 if excites else 0, stride)
            layers.append(GhostBottleneck(width, block, nn.ReLU, "same", 1e-3, 0.97))
            width = channels
        layers.append(ConvNorm(width, 1248, 1, act=nn.ReLU))
        self.expand_layer_conv_11 = ConvNorm(144, 864, 1, act=nn.ReLU)
        self.features_1 = nn.SequentialCell(layers[:_CUT])
        self.features_2 = nn.SequentialCell(layers[_CUT:])

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.features_1(x)
        return self.expand_layer_conv_11(x), self.features_2(x)
