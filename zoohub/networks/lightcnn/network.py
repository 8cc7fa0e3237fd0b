"""LightCNN-9, as the MindSpore models repository publishes it.

Source: Wu et al., "A Light CNN for Deep Face Representation with Noisy Labels" (2018), in the
form of the models repository (research/cv/LightCNN), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d


class MaxFeatureMap(nn.Cell):
    """A layer of twice as many channels, of whose halves the larger value stays."""

    def __init__(self, filter: nn.Cell) -> None:
        super().__init__()
        self.filter = filter

    def construct(self, x: Tensor) -> Tensor:
        y = self.filter(x)
        half = y.shape[1] // 2
        return ops.maximum(y[:, :half], y[:, half:])


def max_conv(in_channels: int, out_channels: int, kernel: int) -> MaxFeatureMap:
    """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
    return MaxFeatureMap(conv2d(in_channels, 2 * out_channels, kernel, bias=True))


class Group(nn.Cell):
    """A 1×1 convolution that keeps the channels, and a 3×3, both with the maximum."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_a = max_conv(in_channels, in_channels, 1)
        self.conv = max_conv(in_channels, out_channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(self.conv_a(x))


class LightCNN(nn.Cell):
    """(B, in_channels, H, W) -> scores of the identities, and features (B, 256)."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float, image_size: int) -> None:
        super().__init__()

        def halve() -> nn.Cell:
            return nn.MaxPool2d(2, 2)

        self.features = nn.SequentialCell(
            [
                max_conv(in_channels, 48, 5),
                halve(),
                Group(48, 96),
                halve(),
                Group(96, 192),
                halve(),
                Group(192, 128),
                Group(128, 128),
                halve(),
            ]
        )
        self.fc1 = MaxFeatureMap(nn.Dense(128 * (image_size // 16) ** 2, 512))
        self.dropout = nn.Dropout(p=dropout)
        self.fc2 = nn.Dense(256, num_classes)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.fc1(ops.flatten(self.features(x)))
        return self.fc2(self.dropout(features)), features


def lightcnn(
    num_classes: int = 79077, in_channels: int = 1, dropout: float = 0.7, image_size: int = 128
) -> LightCNN:
    """LightCNN-9: float32 (B, in_channels, H, W) of aligned faces, grey in 0..1 -> features.

    Returns the identities' logits (B, num_classes) and the features (B, 256).

    Args:
        num_classes: identities of the training's head.
        in_channels: channels of the picture.
        dropout: probability to leave a feature out in training.
        image_size: height and width, which fix the last layer's width.
    """
    return LightCNN(num_classes, in_channels, dropout, image_size)
