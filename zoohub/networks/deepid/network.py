"""DeepID, as the MindSpore models repository publishes it.

Source: Sun et al., "Deep Learning Face Representation from Predicting 10,000 Classes" (2014), in
the form of the models repository (research/cv/DeepID), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class DeepID(nn.Cell):
    """(B, in_channels, 55, 47) -> logits (B, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()

        def block(inputs: int, channels: int, kernel: int, halve: bool = True) -> nn.Cell:
            conv = nn.Conv2d(inputs, channels, kernel, pad_mode="valid", has_bias=True)
            pool = [nn.MaxPool2d(2, 2)] if halve else []
            return nn.SequentialCell([conv, nn.ReLU(), *pool])

        self.block1 = block(in_channels, 20, 4)
        self.block2 = block(20, 40, 3)
        self.block3 = block(40, 60, 3)
        self.deep_layer = block(60, 80, 2, halve=False)
        self.dense_layer = nn.SequentialCell([nn.Dense(60 * 5 * 4 + 80 * 4 * 3, 160), nn.ReLU()])
        self.class_layer = nn.Dense(160, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(x)))
        both = ops.concat((ops.flatten(x), ops.flatten(self.deep_layer(x))), 1)
        return self.class_layer(self.dense_layer(both))


def deepid(num_classes: int = 1283, in_channels: int = 3) -> DeepID:
    """DeepID: float32 (B, in_channels, 55, 47) of a face -> logits (B, num_classes).

    The 160 features that recognise a face are what `dense_layer` gives.

    Args:
        num_classes: identities.
        in_channels: channels of the picture.
    """
    return DeepID(num_classes, in_channels)
