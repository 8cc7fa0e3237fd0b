"""Texts as boxes of regions: how DeepText is asked for them."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

import zoohub
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import RegionContract
from zoohub.outputs.boxes import BoxTable
from zoohub.outputs.masked_boxes import chosen_regions
from zoohub.predicting.compiled_parts import part_runners
from zoohub.predicting.opening import open_predictor
from zoohub.running.runner import Inputs, Outputs
from zoohub.settings import Settings
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.regions.alignment import map_features
from zoohub.tasks.detection.regions.anchors import Anchors, anchors_of
from zoohub.tasks.text_detection.boxed_texts import search_boxes
from zoohub.tasks.text_detection.interpret import TextDetectionOptions, interpret_texts
from zoohub.tasks.text_detection.rows import DetectorInput

SIZE = (64, 96)


class Scripted:
    """A part that gives the same whatever it sees, and keeps what it saw."""

    inputs: tuple[str, ...] = ()

    def __init__(self, **gives: np.ndarray) -> None:
        self.gives = gives
        self.saw: list[Inputs] = []

    def run(self, inputs: Inputs) -> Outputs:
        self.saw.append(inputs)
        count = len(inputs["regions"]) if "regions" in inputs else None
        return {name: array[:count] for name, array in self.gives.items()}


def test_each_ratio_has_its_scales_in_turn() -> None:
    found = anchors_of(1, 1, 16, Anchors((2, 4), (0.25, 1.0)))
    sides = found[:, 2:] - found[:, :2] + 1
    assert sides.tolist() == [[64, 16], [128, 32], [32, 32], [64, 64]]
    assert ((found[:, :2] + found[:, 2:]) / 2 == 7.5).all()


def test_the_likeliest_anchor_becomes_a_box_in_the_picture() -> None:
    high, wide = SIZE[0] // 16, SIZE[1] // 16
    logits = np.full((1, 30, high, wide), -9.0, np.float32)
    logits[0, 15, 2, 3] = 9.0  # ratio 1, scale 2: 32 pixels around (55.5, 39.5)
    maps = {
        "map_8": np.ones((1, 512, 2 * high, 2 * wide), np.float32),
        "map_16": np.full((1, 512, high, wide), 2, np.float32),
    }
    first = Scripted(
        **maps, logits_16=logits, offsets_16=np.zeros((1, 120, high, wide), np.float32)
    )
    said = np.zeros((1000, 3), np.float32)
    said[0] = [0, 4, 0]  # the first region is text, nothing is known of the others
    head = Scripted(class_logits=said, offsets=np.zeros((1000, 12), np.float32))
    found = search_boxes({"proposals": first, "head": head}, np.zeros((1, 3, *SIZE), np.float32))
    form = chosen_regions(found, SIZE)
    assert isinstance(form, BoxTable)
    np.testing.assert_allclose(form.rows[0, 1:5], [40, 24, 71, 55])
    regions = head.saw[0]["regions"]
    assert regions.shape[1:] == (1024, 7, 7)
    np.testing.assert_allclose(regions[0, :512], 2, rtol=1e-6)  # the coarser map's come first
    np.testing.assert_allclose(regions[0, 512:], 1, rtol=1e-6)

    twice = Geometry(picture=(128, 192), resized=SIZE, top=0, left=0)
    row = Row({"image": np.zeros((3, *SIZE), np.float32)}, DetectorInput(twice, RegionContract()))
    ((area,),) = interpret_texts(form, [row], TextDetectionOptions())
    assert area.polygon == ((80, 48), (142, 48), (142, 110), (80, 110))
    assert area.score == pytest.approx(np.exp(4) / (np.exp(4) + 2))
    assert len(interpret_texts(form, [row], TextDetectionOptions(0.1))[0]) > 1
    assert set(form.rows[:, 6]) == {0}  # none of what is hardly legible


def test_a_regions_last_pixel_is_its_own_as_for_the_operator() -> None:
    random = np.random.default_rng(0)
    features = random.standard_normal((5, 20, 30)).astype(np.float32)
    boxes = np.array([[3, 4, 100, 90], [-5, 10, 60, 30], [10, 10, 10, 10]], np.float32)
    regions = np.concatenate([np.zeros((3, 1), np.float32), boxes], axis=1)
    theirs = ops.ROIAlign(7, 7, 0.125)(Tensor(features[None]), Tensor(regions)).asnumpy()
    ours = map_features(features, 8, boxes, 7, last_pixel=True)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def all_texts(net: nn.Cell) -> nn.Cell:
    """The network with a head that says of whatever it sees that it is text."""
    for parameter in net.get_parameters():
        if parameter.name == "rcnn.cls_scores.bias":
            parameter.set_data(Tensor(np.array([0, 5, 0], np.float32)))
    return net


@pytest.mark.slow
def test_the_parts_and_their_exports_find_what_the_whole_network_says(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ms.set_seed(0)
    net = all_texts(zoohub.load("deeptext"))
    image = np.random.default_rng(7).standard_normal((1, 3, *SIZE)).astype(np.float32)
    parts = part_runners(net, "deeptext", "pynative")
    expected = search_boxes(parts, image)
    assert len(expected["detections"]) > 0
    seen = parts["proposals"].run({"image": image})
    boxes = np.array([[3, 4, 60, 50]], np.float32)
    regions = [map_features(seen[f"map_{s}"][0], s, boxes, 7) for s in (16, 8)]
    joined = np.concatenate(regions, axis=1)
    whole = [one.asnumpy() for one in net(Tensor(image), Tensor(joined))]
    said = parts["head"].run({"regions": joined})
    for own, other in zip(
        (seen["logits_16"], seen["offsets_16"], said["class_logits"], said["offsets"]),
        whole,
        strict=True,
    ):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)
    for suffix in ("onnx", "mindir"):
        file = zoohub.export(net, tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.proposals.{suffix}").is_file()
        exported = open_predictor(file, Settings(home=tmp_path))
        found = search_boxes(exported.parts, image)["detections"]
        np.testing.assert_allclose(found, expected["detections"], rtol=1e-3, atol=1e-2)
