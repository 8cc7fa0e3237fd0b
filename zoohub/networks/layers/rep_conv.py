"""Convolutions that are several in training.

Source: Ding et al., "RepVGG" (2021); parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d


class RepConv(nn.Cell):
    """3×3 and 1×1, each with its batch norm, added; SiLU. (B, in, H, W) -> (B, out, H, W).

    With `identity`, where the channels are the same, the normalised input is added too.
    """

    def __init__(self, in_channels: int, out_channels: int, identity: bool = True) -> None:
        super().__init__()
        same = identity and in_channels == out_channels
        self.rbr_identity = _norm(in_channels) if same else None
        self.rbr_dense = nn.SequentialCell(
            [conv2d(in_channels, out_channels, 3), _norm(out_channels)]
        )
        self.rbr_1x1 = nn.SequentialCell(
            [conv2d(in_channels, out_channels, 1), _norm(out_channels)]
        )
        self.act = nn.SiLU()

    def construct(self, x: Tensor) -> Tensor:
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return self.act(y if self.rbr_identity is None else y + self.rbr_identity(x))


def _norm(channels: int) -> BatchNorm2d:
    return BatchNorm2d(channels, eps=1e-3, momentum=0.97)
