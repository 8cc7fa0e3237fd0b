"""The head of YOLOv8 for instance segmentation.

Source: Bolya et al., "YOLACT" (2019): a box's mask is a sum of prototypes, weighted by what the box
says of each. Parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import ConvNormAct
from zoohub.networks.layers.distance_head import DistanceHead, branches, plain_branch

_PROTOTYPES = 32


class Prototypes(nn.Cell):
    """(B, C, H, W) -> (B, 32, 2H, 2W)."""

    def __init__(self, in_channels: int, hidden: int) -> None:
        super().__init__()
        self.cv1 = ConvNormAct(in_channels, hidden, 3)
        self.upsample = nn.Conv2dTranspose(hidden, hidden, 2, 2, has_bias=True)
        self.cv2 = ConvNormAct(hidden, hidden, 3)
        self.cv3 = ConvNormAct(hidden, _PROTOTYPES)

    def construct(self, x: Tensor) -> Tensor:
        return self.cv3(self.cv2(self.upsample(self.cv1(x))))


class MaskHead(DistanceHead):
    """`DistanceHead` with a third branch a level, for the masks.

    In evaluation mode returns `(decoded, (raw maps, coefficients, prototypes))`: decoded is (B, N,
    4 + classes + 32), the boxes with their coefficients behind the class scores; coefficients (B,
    N, 32), prototypes (B, 32, H / 4, W / 4). A box's mask is where the prototypes, weighted by its
    coefficients and summed, are above 0, inside the box. In training mode, or with `decode` False,
    returns `(raw maps, coefficients, prototypes)`, the coefficients as (B, 32, N).
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        strides: Sequence[int],
        prototype_channels: int,
        decode: bool = True,
    ) -> None:
        super().__init__(channels, num_classes, strides, decode)
        self.proto = Prototypes(channels[0], prototype_channels)
        self.cv4 = branches(plain_branch, channels, max(channels[0] // 4, _PROTOTYPES), _PROTOTYPES)

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        prototypes = self.proto(features[0])
        raw = self.raw_maps(features)
        weights: tuple[Tensor, ...] = ()
        for level, branch in enumerate(self.cv4):
            out = branch(features[level])
            weights = (*weights, ops.reshape(out, (out.shape[0], _PROTOTYPES, -1)))
        coefficients = ops.concat(weights, 2)
        if not self.decodes or self.training:
            return raw, coefficients, prototypes
        coefficients = ops.transpose(coefficients, (0, 2, 1))
        decoded = ops.concat((self.decoder(raw, self.dfl), coefficients), 2)
        return decoded, (raw, coefficients, prototypes)
