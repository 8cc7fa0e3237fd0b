"""Res2Net as the detectors of the MindSpore models repository have it."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.layers.frozen import freeze
from zoohub.networks.res2net.blocks import Slices
from zoohub.networks.res2net.network import Res2Net


def detecting_backbone(in_channels: int, out_indices: tuple[int, ...]) -> Res2Net:
    """Res2Net-50 v1b that gives the maps of `out_indices`, see `res2net`.

    The stem's convolutions, its last norm and the first stage are frozen.
    """
    slices = Slices(26, 4, pooled_shortcuts=True, zoo=True, detecting=True)
    net = Res2Net(50, slices, True, False, 0, in_channels, out_indices)
    convs = [cell for cell in net.conv1.cell_list if isinstance(cell, nn.Conv2d)]
    for cell in (*convs, net.bn1, net.layer1):
        freeze(cell)
    return net
