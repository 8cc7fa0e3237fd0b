"""LeNet-5 for 32×32 digits.

Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998), in the
form of the MindSpore models repository: max pooling, ReLU, convolutions without bias.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal


class LeNet(nn.Cell):
    """(B, in_channels, 32, 32) -> (B, num_classes), logits."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Dense(16 * 5 * 5, 120, weight_init=Normal(0.02))
        self.fc2 = nn.Dense(120, 84, weight_init=Normal(0.02))
        self.fc3 = nn.Dense(84, num_classes, weight_init=Normal(0.02))

    def construct(self, x: Tensor) -> Tensor:
        x = self.pool(ops.relu(self.conv1(x)))
        x = self.pool(ops.relu(self.conv2(x)))
        x = ops.relu(self.fc1(self.flatten(x)))
        return self.fc3(ops.relu(self.fc2(x)))


def lenet(num_classes: int = 10, in_channels: int = 1) -> LeNet:
    """LeNet-5: float32 (B, in_channels, 32, 32) -> logits (B, num_classes)."""
    return LeNet(num_classes, in_channels)
