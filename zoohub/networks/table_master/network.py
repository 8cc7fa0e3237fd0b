"""TableMaster: the structure of a table, and where its cells are, as MindOCR publishes it.

Source: Ye et al., "PingAn-VCGroup's Solution for ICDAR 2021 Competition on Scientific Literature
Parsing Task B: Table Recognition to HTML" (2021).
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.master.backbone import CHANNELS, ResNet31
from zoohub.networks.table_master.head import Head


class TableMaster(nn.Cell):
    """See `table_master`."""

    def __init__(
        self, num_classes: int, steps: int, stacks: int, intermediate_size: int, in_channels: int
    ) -> None:
        super().__init__()
        self.backbone = ResNet31(in_channels, context=True, square=True, half_precision=True)
        self.head = Head(CHANNELS, num_classes, steps, stacks, intermediate_size)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.backbone(x))


def table_master(
    num_classes: int = 43,
    steps: int = 501,
    stacks: int = 2,
    intermediate_size: int = 2024,
    in_channels: int = 3,
) -> TableMaster:
    """TableMaster: float32 (B, in_channels, H, W) -> probabilities of tokens (B, steps,
    num_classes) and their boxes (B, steps, 4).

    The publisher's pictures are 480×480 pixels. A box is the centre's x and y, the width and the
    height, as shares of the picture. The last four classes are no known token, the start, the end
    and padding. The tokens are those it reads itself, in training mode too: every step looks at all
    before it again, so that 501 take minutes on a CPU. Its parts (`parts.py`) look at each once.

    Args:
        num_classes: tokens of a table's structure, and the four.
        steps: tokens that a table may have, and its end.
        stacks: layers before those of the tokens and of the boxes: 2, or 1 in MindOCR's first file.
        intermediate_size: of the layers' dense layers.
        in_channels: channels of the picture.
    """
    return TableMaster(num_classes, steps, stacks, intermediate_size, in_channels)
