"""TextFuseNet: texts of any form, found with their characters and with what is around them.

Source: Ye et al., "TextFuseNet: Scene Text Detection with Richer Fused Features" (2020), in the
form of the MindSpore models repository (research/cv/textfusenet), whose parameter names these are
but for its spelling of the neck: Mask R-CNN, whose masks also see the picture's context and, of a
text, the characters in it. The stages are here; what chooses regions between them is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.faster_rcnn.backbones import make_backbone
from zoohub.networks.faster_rcnn.heads import CHANNELS, ClassBranch, MaskBranch
from zoohub.networks.faster_rcnn.network import TwoStages
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import CornerResize
from zoohub.networks.layers.norm import BatchNorm2d

_LEVELS = 4
_LEVEL = 1  # of the map, at 1/8, that the others are brought to the size of
_CONVS = 4


def _conv(kernel: int) -> nn.Conv2d:
    return conv2d(CHANNELS, CHANNELS, kernel)


class ContextConvs(nn.Cell):
    """What the picture is where: of the pyramid's maps and of regions of what they become."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1x1_list = nn.CellList([_conv(1) for _ in range(_LEVELS)])
        self.conv3x3_list = nn.CellList([_conv(3) for _ in range(_CONVS)])
        self.conv3x3_roi_list = nn.CellList([_conv(3) for _ in range(_CONVS)])
        self.conv1x1_seg_logits = _conv(1)
        self.seg_logits = conv2d(CHANNELS, 1, 1, bias=True)
        self.resize = CornerResize("bilinear")

    def construct(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, 256, h, w) from 1/4 to 1/32 -> one (B, 256, H / 8, W / 8)."""
        own = maps[_LEVEL]
        fused = self.conv1x1_list[_LEVEL](own)
        for level in range(_LEVELS):
            if level != _LEVEL:
                fused = fused + self.conv1x1_list[level](self.resize(maps[level], own))
        for conv in self.conv3x3_list:
            fused = conv(fused)
        return fused

    def of_regions(self, regions: Tensor) -> Tensor:
        """Regions of that map -> their context, both (n, 256, 14, 14)."""
        for conv in self.conv3x3_roi_list:
            regions = conv(regions)
        return regions

    def of_pixels(self, fused: Tensor) -> Tensor:
        """That map -> logits (B, 1, H / 8, W / 8) of its pixels being a text's."""
        return self.seg_logits(self.conv1x1_seg_logits(fused))


class ContextBranch(nn.Cell):
    """`ContextConvs` where the publisher has them."""

    def __init__(self) -> None:
        super().__init__()
        self.fpn_mask = ContextConvs()

    def construct(self, maps: Sequence[Tensor]) -> Tensor:
        return self.fpn_mask(maps)


class Fusion(nn.Cell):
    """Features of regions, all (n, 256, 14, 14) -> what their masks are made of, the same.

    `regions` are cut from the pyramid, `contexts` see `ContextConvs.of_regions`; `characters` are
    the regions that are characters, the others 0, and `texts` of a text the mean of what lies in
    it, of the others 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.char_conv3x3 = _conv(3)
        self.char_conv1x1 = _conv(1)
        self.text_conv3x3 = _conv(3)
        self.text_conv1x1 = _conv(1)
        self.conv3x3 = _conv(3)
        self.conv1x1 = _conv(1)
        self.bn = BatchNorm2d(CHANNELS)

    def construct(
        self, regions: Tensor, contexts: Tensor, characters: Tensor, texts: Tensor
    ) -> Tensor:
        found = self.char_conv1x1(self.char_conv3x3(characters))
        found = found + self.text_conv1x1(self.text_conv3x3(texts))
        return self.joined(found + regions + contexts)

    def joined(self, summed: Tensor) -> Tensor:
        """The sum of all that a region is -> the result."""
        return ops.relu(self.bn(self.conv1x1(self.conv3x3(summed))))


class TextFuseNet(TwoStages):
    """See `textfusenet`."""

    smooth = True

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        self.rcnn_cls = ClassBranch(num_classes, boxes)
        self.rcnn_mask = MaskBranch(num_classes)
        self.rcnn_seg = ContextBranch()
        self.fuse_module = Fusion()

    def construct(
        self,
        image: Tensor,
        regions: Tensor,
        mask_regions: Tensor,
        context_regions: Tensor,
        character_regions: Tensor,
        text_regions: Tensor,
    ) -> tuple[Tensor, ...]:
        maps = self.fpn_neck(self.backbone(image))
        context = self.rcnn_seg.fpn_mask
        pixels = context.of_pixels(self.rcnn_seg(maps))
        contexts = context.of_regions(context_regions)
        fused = self.fuse_module(mask_regions, contexts, character_regions, text_regions)
        return (*self.rpn_with_loss(maps), pixels, *self.rcnn_cls(regions), self.rcnn_mask(fused))


def textfusenet(depth: int = 101, num_classes: int = 64, in_channels: int = 3) -> TextFuseNet:
    """TextFuseNet: a picture and regions' features -> the raw outputs of both stages.

    Takes float32 `image` (B, in_channels, H, W), H and W multiples of 32 (the publisher's are
    768×1280), `regions` (n, 256, 7, 7) cut from the pyramid's maps, and for masks `mask_regions`,
    cut from them too, `context_regions`, from `ContextConvs`' map, `character_regions` and
    `text_regions`, as `Fusion` has them: (m, 256, 14, 14). Returns for each of the five maps from
    1/4 to 1/64 the logits (B, 3, h, w) and the offsets (B, 12, h, w) of its anchors; the logits of
    pixels being a text's (B, 1, H / 8, W / 8); the regions' class logits (n, num_classes), the
    background's first, and their offsets (n, 4·num_classes); the masks' logits
    (m, num_classes, 28, 28).

    Args:
        depth: of the ResNet: 50, 101 or 152.
        num_classes: classes: the background, a text, and its characters, digits first.
        in_channels: channels of the picture.

    Raises:
        ValueError: a depth that ResNet does not have.
    """
    body, widths = make_backbone("resnet", depth, in_channels, stride_first=False)
    return TextFuseNet(body, widths, num_classes, num_classes)
