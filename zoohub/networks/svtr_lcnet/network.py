"""SVTR-LCNet: PP-OCRv3's light reader of text lines, as MindOCR publishes it.

Source: Li et al., "PP-OCRv3: More Attempts for the Improvement of Ultra Lightweight OCR System"
(2022), after Du et al., "SVTR" (2022). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.crnn.network import Head
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.svtr.network import Attention, Block, as_rows
from zoohub.networks.svtr_lcnet.backbone import ConvNormAct, LCNet
from zoohub.networks.svtr_lcnet.family import SIDES
from zoohub.networks.svtr_lcnet.guide import Guide

_OUT = 64
_HEADS = 8
_DROPOUT = 0.1
_LAST_EPS = 1e-6
_GUIDE_ALSO = 2  # classes that the guide has more: start and padding


class Mixer(nn.Cell):
    """Columns that see each other: (B, channels, 1, W) -> (B, 64, 1, W)."""

    def __init__(self, channels: int, hidden_size: int, depth: int, norm_eps: float) -> None:
        super().__init__()
        narrow = channels // 8
        self.conv1 = ConvNormAct(channels, narrow, 3, act=nn.SiLU())
        self.conv2 = ConvNormAct(narrow, hidden_size, 1, act=nn.SiLU())
        self.svtr_block = nn.CellList(
            [
                Block(
                    Attention(hidden_size, _HEADS, None, _DROPOUT),
                    Mlp(hidden_size, 2 * hidden_size, dropout=_DROPOUT, act=nn.SiLU()),
                    hidden_size,
                    norm_eps,
                )
                for _ in range(depth)
            ]
        )
        self.norm = nn.LayerNorm((hidden_size,), epsilon=_LAST_EPS)
        self.conv3 = ConvNormAct(hidden_size, channels, 1, act=nn.SiLU())
        self.conv4 = ConvNormAct(2 * channels, narrow, 3, act=nn.SiLU())
        self.conv1x1 = ConvNormAct(narrow, _OUT, 1, act=nn.SiLU())

    def construct(self, maps: Tensor) -> Tensor:
        x = as_rows(self.conv2(self.conv1(maps)))
        for block in self.svtr_block:
            x = block(x)
        x = ops.expand_dims(ops.transpose(self.norm(x), (0, 2, 1)), 2)
        return self.conv1x1(self.conv4(ops.concat((maps, self.conv3(x)), 1)))


class Columns(nn.Cell):
    """(B, channels, 1, W) -> (W, B, 64)."""

    def __init__(self, channels: int, hidden_size: int, depth: int, norm_eps: float) -> None:
        super().__init__()
        self.encoder = Mixer(channels, hidden_size, depth, norm_eps)

    def construct(self, maps: Tensor) -> Tensor:
        return ops.transpose(ops.squeeze(self.encoder(maps), 2), (2, 0, 1))


class Heads(nn.Cell):
    """Maps (B, channels, 1, W) -> characters as `svtr_lcnet` gives them.

    `sar_head` guides the training at the publisher's and is in the published file. Reading does
    without; a training of one's own may call it on the backbone's maps.
    """

    def __init__(
        self, channels: int, num_classes: int, hidden_size: int, depth: int, norm_eps: float
    ) -> None:
        super().__init__()
        self.ctc_encoder = Columns(channels, hidden_size, depth, norm_eps)
        self.ctc_head = Head(_OUT, num_classes)
        self.sar_head = Guide(channels, num_classes + _GUIDE_ALSO)

    def construct(self, maps: Tensor) -> Tensor:
        return self.ctc_head(self.ctc_encoder(maps))


class SVTRLCNet(SizedNetwork):
    """See `svtr_lcnet`."""

    def __init__(
        self,
        num_classes: int,
        width: float,
        hidden_size: int,
        depth: int,
        norm_eps: float,
        in_channels: int,
    ) -> None:
        super().__init__("svtr_lcnet", SIDES)
        self.backbone = LCNet(in_channels, width)
        self.head = Heads(self.backbone.channels, num_classes, hidden_size, depth, norm_eps)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def svtr_lcnet(
    num_classes: int = 6625,
    width: float = 0.5,
    hidden_size: int = 120,
    depth: int = 2,
    norm_eps: float = 1e-7,
    in_channels: int = 3,
) -> SVTRLCNet:
    """SVTR-LCNet: float32 (B, in_channels, 48, W) -> probabilities (B, W / 8, num_classes).

    Class 0 is the blank of connectionist temporal classification. In training mode logits
    (W / 8, B, num_classes). The publisher's training is guided by a second head (`sar_head`),
    whose parameters are there and which neither mode runs.

    Args:
        num_classes: characters, and the blank.
        width: multiplier of the backbone's channels.
        hidden_size: channels of the blocks in which columns see each other.
        depth: how many of them.
        norm_eps: epsilon of their layer norms: MindOCR's; PaddleOCR, whose weights these are, has
            1e-5.
        in_channels: channels of the picture.
    """
    return SVTRLCNet(num_classes, width, hidden_size, depth, norm_eps, in_channels)
