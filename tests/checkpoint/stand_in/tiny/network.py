"""The stand-in's network."""

from __future__ import annotations

from typing import Any

from mindspore import nn


class TinyNet(nn.Cell):
    """A stem, a normalisation and a head, as every classifier has."""

    def __init__(
        self, num_classes: int = 5, in_channels: int = 3, features_only: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4, 3, pad_mode="pad", padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.features_only = features_only
        if not features_only:
            self.fc = nn.Dense(4, num_classes)

    def construct(self, x: Any) -> Any:
        x = self.bn(self.conv(x))
        if self.features_only:
            return (x,)
        return self.fc(x.mean((2, 3)))
