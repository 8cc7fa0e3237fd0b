"""The stages of DeepText, which a search asks in turn."""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn
from mindspore import dtype as mstype

from zoohub.networks.deeptext.network import CHANNELS, DeepText
from zoohub.networks.family import Part, Taken
from zoohub.networks.faster_rcnn.heads import REGION

_STRIDE = 16


class FirstStage(nn.Cell):
    """`image` (B, C, H, W) -> the maps at 1/8 and 1/16, and logits and offsets of the anchors of
    the latter."""

    def __init__(self, net: DeepText) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, image: Tensor) -> tuple[Tensor, ...]:
        fine, coarse = self.net.vgg16_feature_extractor(image)
        return (fine, coarse, *self.net.rpn_with_loss(coarse))


class Head(nn.Cell):
    """Any number of regions' features from both maps -> logits and offsets."""

    def __init__(self, net: DeepText) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(Tensor(shape=(None, 2 * CHANNELS, REGION, REGION), dtype=mstype.float32))

    def construct(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        return self.net.rcnn(self.net.roi_align_fuse(regions))


def search_parts(net: DeepText) -> Mapping[str, Part]:
    """As `zoohub.tasks.text_detection.boxed_texts` asks for them."""
    channels = next(iter(net.vgg16_feature_extractor.get_parameters())).shape[1]
    image = Taken("image", ("batch", channels, "height", "width"), "float32", sides=_STRIDE)
    regions = Taken("regions", ("count", 2 * CHANNELS, REGION, REGION), "float32")
    seen = ("map_8", "map_16", "logits_16", "offsets_16")
    return {
        "proposals": Part(FirstStage(net), (image,), seen),
        "head": Part(Head(net), (regions,), ("class_logits", "offsets")),
    }
