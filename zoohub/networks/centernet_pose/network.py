"""CenterNet for people and their joints, on DLA-34.

Source: Zhou et al., "Objects as Points" (2019), in the form of research/cv/centernet of the
MindSpore models repository, whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.centernet.points import branch
from zoohub.networks.centernet_pose.dla import WIDTHS, DLASeg

_HIDDEN = 256
_LEAST = 1e-4  # how near to 0 and 1 a heat may come


def _heat(logits: Tensor) -> Tensor:
    return ops.clamp(ops.sigmoid(logits), _LEAST, 1 - _LEAST)


class PoseNet(nn.Cell):
    """See `centernet_pose`."""

    def __init__(self, num_classes: int, num_joints: int, in_channels: int, width: int) -> None:
        super().__init__()
        widths = tuple(width * each // WIDTHS[0] for each in WIDTHS)
        self.dla_seg = DLASeg(in_channels, widths)

        def head(outputs: int, rare: bool = False) -> nn.SequentialCell:
            return branch(widths[2], _HIDDEN, outputs, rare)

        self.hm_fn = head(num_classes, rare=True)
        self.wh_fn = head(2)
        self.hps_fn = head(2 * num_joints)
        self.reg_fn = head(2)
        self.hm_hp_fn = head(num_joints, rare=True)
        self.reg_hp_fn = head(2)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.dla_seg(x)
        return (
            _heat(self.hm_fn(x)),
            self.hps_fn(x),
            self.wh_fn(x),
            _heat(self.hm_hp_fn(x)),
            self.reg_fn(x),
            self.reg_hp_fn(x),
        )


def centernet_pose(
    num_classes: int = 1, num_joints: int = 17, in_channels: int = 3, base_channels: int = 16
) -> PoseNet:
    """CenterNet's maps of people and joints: float32 (B, in_channels, H, W) -> six maps at 1/4.

    Returns, each (B, channels, H / 4, W / 4), in pixels of the map: the centres' heat in 0..1
    (num_classes), the joints' distances from the centre (2 a joint, x before y), sizes (width,
    height), the joints' heat in 0..1 (num_joints), the centres' offsets (x, y) and the joints'. H
    and W are multiples of 32.

    Args:
        num_classes: classes, without a background class; people alone are one.
        num_joints: joints of each.
        in_channels: channels of the picture.
        base_channels: of the first map; each of half the size has twice as many.
    """
    return PoseNet(num_classes, num_joints, in_channels, base_channels)
