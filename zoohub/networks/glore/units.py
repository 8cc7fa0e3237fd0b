"""The global reasoning unit: places are gathered into nodes of a graph, which exchange.

Source: Chen et al., "Graph-Based Global Reasoning Networks" (2018).
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

EPS = 1e-4


def norm_conv(in_channels: int, out_channels: int) -> nn.SequentialCell:
    """Norm, activation, 1×1 convolution: (B, in_channels, H, W) -> (B, out_channels, H, W)."""
    norm = BatchNorm2d(in_channels, EPS)
    return nn.SequentialCell([norm, nn.ReLU(), conv2d(in_channels, out_channels, 1)])


class GraphConvolution(nn.Cell):
    """States of nodes -> new states: (B, states, nodes, 1) -> the same shape."""

    def __init__(self, states: int, nodes: int) -> None:
        super().__init__()
        self.conv1 = conv2d(nodes, nodes, 1)
        self.conv2 = conv2d(states, states, 1)

    def construct(self, x: Tensor) -> Tensor:
        exchanged = ops.transpose(self.conv1(ops.transpose(x, (0, 2, 1, 3))), (0, 2, 1, 3))
        return self.conv2(ops.relu(exchanged + x))


class GloreUnit(nn.Cell):
    """(B, channels, H, W) -> the same shape, with `nodes` nodes of twice as many states each."""

    def __init__(self, channels: int, nodes: int) -> None:
        super().__init__()
        self.nodes, self.states = nodes, 2 * nodes
        self.conv_state = norm_conv(channels, self.states)
        self.conv_proj = norm_conv(channels, nodes)
        self.gcn = GraphConvolution(self.states, nodes)
        self.conv_extend = norm_conv(self.states, channels)

    def construct(self, x: Tensor) -> Tensor:
        _, _, height, width = x.shape
        state = ops.reshape(self.conv_state(x), (-1, self.states, height * width))
        project = ops.reshape(self.conv_proj(x), (-1, self.nodes, height * width))
        gathered = ops.matmul(state, ops.transpose(project, (0, 2, 1)))
        reasoned = ops.squeeze(self.gcn(ops.expand_dims(gathered, -1)), -1)
        spread = ops.reshape(ops.matmul(reasoned, project), (-1, self.states, height, width))
        return x + self.conv_extend(spread)
