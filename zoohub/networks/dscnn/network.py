"""DS-CNN, which spots words in the sound of a second.

Source: Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers" (2018), the large model.
Parameter names are those of the models repository (research/audio/dscnn).
"""

from __future__ import annotations

from mindspore import Tensor, nn

MOMENTUM = 0.98
STRIDES = ((2, 2), (1, 1), (1, 1), (1, 1), (1, 1))  # of the depthwise convolutions


class DSCNN(nn.Cell):
    """Cepstral coefficients (B, 1, frames, coefficients) -> logits (B, num_classes)."""

    def __init__(self, channels: int, num_classes: int, frames: int, coefficients: int) -> None:
        super().__init__()
        layers: list[nn.Cell] = [
            nn.Conv2d(1, channels, (10, 4), stride=(2, 1), pad_mode="same"),
            nn.BatchNorm2d(channels, momentum=MOMENTUM),
        ]
        height, width = -(-frames // 2), coefficients
        for stride in STRIDES:
            layers += [
                nn.Conv2d(channels, channels, 3, stride=stride, pad_mode="same", group=channels),
                nn.BatchNorm2d(channels, momentum=MOMENTUM),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 1, pad_mode="same"),
                nn.BatchNorm2d(channels, momentum=MOMENTUM),
                nn.ReLU(),
            ]
            height, width = -(-height // stride[0]), -(-width // stride[1])
        layers += [
            nn.AvgPool2d((height, width)),
            nn.Flatten(),
            nn.Dropout(p=0.1),
            nn.Dense(channels, num_classes),
        ]
        self.model = nn.SequentialCell(layers)

    def construct(self, x: Tensor) -> Tensor:
        return self.model(x)


def dscnn(
    channels: int = 276, num_classes: int = 12, frames: int = 49, coefficients: int = 20
) -> DSCNN:
    """DS-CNN: float32 (B, 1, frames, coefficients) -> logits (B, num_classes).

    Args:
        channels: of every layer.
        num_classes: silence, an unknown word, and the words that are known.
        frames: steps of time, of 20 ms.
        coefficients: cepstral coefficients of a frame.
    """
    return DSCNN(channels, num_classes, frames, coefficients)
