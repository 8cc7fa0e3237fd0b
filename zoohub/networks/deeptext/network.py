"""DeepText: text proposals and Faster R-CNN on VGG-16, as the MindSpore models repository has it.

Source: Zhong et al., "DeepText: A Unified Framework for Text Proposal Generation and Text Detection
in Natural Images" (2016). Parameter names are those of official/cv/deeptext. The two stages are
here; `zoohub.tasks.text_detection.boxed_texts` chooses regions between them.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.faster_rcnn.heads import RegionHead
from zoohub.networks.layers.conv import conv2d, conv_norm

CHANNELS = 512
_HIDDEN = 4096
_PROPOSALS = 640
# Convolutions of each of VGG-16's blocks.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (CHANNELS, 3))


class VGG16(nn.Cell):
    """(B, in_channels, H, W) -> (B, 512, H / 8, W / 8) and (B, 512, H / 16, W / 16), every
    convolution normalised."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        width = in_channels
        for block, (channels, count) in enumerate(_BLOCKS, start=1):
            for index in range(1, count + 1):
                cells = conv_norm(width, channels, 3, act=None)
                setattr(self, f"conv{block}_{index}", nn.SequentialCell(cells))
                width = channels
        self.halve = nn.MaxPool2d(2, 2)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = ops.relu(self.conv1_2(ops.relu(self.conv1_1(x))))
        x = self.halve(x)
        x = ops.relu(self.conv2_2(ops.relu(self.conv2_1(x))))
        x = self.halve(x)
        x = ops.relu(self.conv3_2(ops.relu(self.conv3_1(x))))
        x = self.halve(ops.relu(self.conv3_3(x)))
        x = ops.relu(self.conv4_2(ops.relu(self.conv4_1(x))))
        fine = ops.relu(self.conv4_3(x))
        x = ops.relu(self.conv5_2(ops.relu(self.conv5_1(self.halve(fine)))))
        return fine, ops.relu(self.conv5_3(x))


def _conv(channels: int, kernel: int) -> nn.SequentialCell:
    return nn.SequentialCell([conv2d(CHANNELS, channels, kernel, bias=True)])


class ProposalConvs(nn.Cell):
    """A map (B, 512, H, W), looked at in three sizes -> logits (B, anchors, H, W) and offsets
    (B, 4·anchors, H, W) of its anchors.

    Published files have one convolution more, `rpn_conv`, which nothing goes through.
    """

    def __init__(self, anchors: int) -> None:
        super().__init__()
        self.rpn_conv = conv2d(CHANNELS, _PROPOSALS, 3, bias=True)
        self.rpn_cls = conv2d(_PROPOSALS, anchors, 1, bias=True)
        self.rpn_reg = conv2d(_PROPOSALS, 4 * anchors, 1, bias=True)
        self.rpn_conv1x1 = _conv(128, 1)
        self.rpn_conv3x3 = _conv(384, 3)
        self.rpn_conv5x5 = _conv(128, 5)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = (self.rpn_conv1x1(x), self.rpn_conv3x3(x), self.rpn_conv5x5(x))
        x = ops.relu(ops.concat(seen, 1))
        return self.rpn_cls(x), self.rpn_reg(x)


class Proposals(nn.Cell):
    """`ProposalConvs` where the publisher has them."""

    def __init__(self, anchors: int) -> None:
        super().__init__()
        self.rpn_convs_list = nn.CellList([ProposalConvs(anchors)])

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.rpn_convs_list[0](x)


class DeepText(nn.Cell):
    """See `deeptext`."""

    def __init__(self, num_classes: int, anchors: int, in_channels: int) -> None:
        super().__init__()
        self.rpn_with_loss = Proposals(anchors)
        self.rcnn = RegionHead(num_classes, num_classes, channels=CHANNELS, hidden=_HIDDEN)
        fuse = conv2d(2 * CHANNELS, CHANNELS, 1, bias=True)
        self.roi_align_fuse = nn.SequentialCell([fuse])
        self.vgg16_feature_extractor = VGG16(in_channels)

    def construct(self, image: Tensor, regions: Tensor) -> tuple[Tensor, ...]:
        _, coarse = self.vgg16_feature_extractor(image)
        anchors = self.rpn_with_loss(coarse)
        return (*anchors, *self.rcnn(self.roi_align_fuse(regions)))


def deeptext(num_classes: int = 3, anchors: int = 30, in_channels: int = 3) -> DeepText:
    """DeepText: a picture and regions' features -> the raw outputs of both stages.

    Takes float32 `image` (B, in_channels, H, W), H and W multiples of 16 (the publisher's are
    576×960), and `regions` (n, 1024, 7, 7): what the regions cut from the map at 1/16, then what
    they cut from that at 1/8. Returns the logits (B, anchors, H / 16, W / 16) and the offsets
    (B, 4·anchors, H / 16, W / 16) of the anchors, then the regions' class logits (n, num_classes),
    the background's first, and their offsets (n, 4·num_classes).

    Args:
        num_classes: classes, the background among them.
        anchors: at every place of the map.
        in_channels: channels of the picture.
    """
    return DeepText(num_classes, anchors, in_channels)
