"""Texts as masks of regions: outlines, and how a two-stage detector is asked for them."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

import zoohub
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import RegionContract
from zoohub.networks.textfusenet.network import textfusenet
from zoohub.outputs.boxes import BoxTable
from zoohub.outputs.masked_boxes import MaskedTable, chosen_regions
from zoohub.predicting.compiled_parts import part_runners
from zoohub.predicting.opening import open_predictor
from zoohub.settings import Settings
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.regions.alignment import STRIDES, map_features, region_features
from zoohub.tasks.text_detection import masked_texts
from zoohub.tasks.text_detection.interpret import TextDetectionOptions, interpret_texts
from zoohub.tasks.text_detection.masked_texts import search_texts
from zoohub.tasks.text_detection.rows import DetectorInput

SIZE = (64, 96)
TWICE = Geometry(picture=(100, 200), resized=(50, 100), top=0, left=0)


def masked(boxes: list[list[float]], masks: list[np.ndarray]) -> MaskedTable:
    rows = np.array([[0, *box, 0] for box in boxes], np.float32)
    return MaskedTable(BoxTable(rows), np.array(masks, np.float32))


def outlines(form: MaskedTable, threshold: float | None = None) -> list[np.ndarray]:
    rows = [Row({"image": np.zeros((3, 64, 128), np.float32)}, DetectorInput(TWICE, NONE))]
    (areas,) = interpret_texts(form, rows, TextDetectionOptions(threshold))
    return [np.array(area.polygon) for area in areas]


NONE = RegionContract()
FULL = np.ones((28, 28))


def test_a_mask_has_its_outline_in_the_picture() -> None:
    half = np.concatenate([np.full((28, 14), 0.51), np.full((28, 14), 0.49)], axis=1)
    left, whole = outlines(masked([[10, 5, 70, 35, 0.91], [0, 0, 20, 10, 0.99]], [half, FULL]))[
        ::-1
    ]
    assert (whole.min(0).tolist(), whole.max(0).tolist()) == ([0, 0], [39, 19])
    assert left.min(0).tolist() == [20, 10]
    assert left.max(0)[1] == 69
    assert 78 <= left.max(0)[0] <= 82  # the middle of 20..139, and what resizing smears


def test_what_is_unsure_or_tiny_or_outside_or_empty_is_left_out() -> None:
    boxes = [[0, 0, 20, 10, 0.89], [0, 0, 5, 5, 0.95], [90, 30, 101, 50, 0.95]]
    boxes += [[20, 10, 20, 30, 0.95], [0, 0, 40, 20, 0.95]]
    form = masked(boxes, [FULL, FULL, FULL, FULL, np.zeros((28, 28))])
    assert outlines(form) == []
    assert len(outlines(form, threshold=0.5)) == 1


def test_one_sample_a_cell_is_what_the_operator_takes() -> None:
    random = np.random.default_rng(0)
    features = random.standard_normal((5, 20, 30)).astype(np.float32)
    boxes = np.array([[3, 4, 100, 90], [-5, 10, 60, 30], [10, 10, 11, 11.5]], np.float32)
    boxes = np.concatenate([boxes, np.array([[200, 100, 300, 200]], np.float32)])
    regions = np.concatenate([np.zeros((4, 1), np.float32), boxes], axis=1)
    theirs = ops.ROIAlign(14, 14, 0.125, 1, 0)(Tensor(features[None]), Tensor(regions)).asnumpy()
    np.testing.assert_allclose(map_features(features, 8, boxes, 14, samples=1), theirs, atol=2e-5)


def all_texts(net: nn.Cell) -> nn.Cell:
    """The network with a head that says of whatever it sees that it is text."""
    for parameter in net.get_parameters():
        if parameter.name.endswith("cls_scores.bias"):
            parameter.set_data(Tensor(np.array([0, 5, 0, 0], np.float32)))
    return net


@pytest.mark.slow
def test_the_parts_find_texts_whose_masks_are_the_whole_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(masked_texts, "_MOST", 3)
    ms.set_seed(0)
    net = all_texts(textfusenet(depth=50, num_classes=4).set_train(False))
    images = np.random.default_rng(3).standard_normal((2, 3, *SIZE)).astype(np.float32)
    runners = part_runners(net, "textfusenet", "pynative")
    found = search_texts(runners, images)
    form = chosen_regions(found, SIZE)
    assert isinstance(form, MaskedTable)
    assert set(form.table.rows[:, 0]) == {0, 1}
    assert set(form.table.rows[:, 6]) == {0}
    own = form.table.rows[:, 0] == 1
    boxes = np.ascontiguousarray(form.table.rows[own, 1:5])
    raw = runners["proposals"].run({"image": images[1:]})
    features = region_features([raw[f"map_{stride}"][0] for stride in STRIDES], boxes, 14)
    context = map_features(raw["context"][0], 8, boxes, 14, samples=1)
    none = np.zeros_like(context)
    regions = np.zeros((1, 256, 7, 7), np.float32)
    arrays = (images[1:], regions, features, context, none, none)
    *_, masks = net(*(Tensor(array) for array in arrays))
    expected = ops.sigmoid(masks[:, 1]).asnumpy()
    np.testing.assert_allclose(form.masks[own], expected, atol=1e-5)


@pytest.mark.slow
def test_an_export_in_parts_finds_the_same_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(masked_texts, "_MOST", 3)
    net = all_texts(zoohub.load("textfusenet", depth=50, num_classes=4))
    image = np.random.default_rng(7).standard_normal((1, 3, *SIZE)).astype(np.float32)
    expected = search_texts(part_runners(net, "textfusenet", "pynative"), image)
    assert len(expected["detections"]) > 0
    for suffix in ("onnx", "mindir"):
        file = zoohub.export(net, tmp_path / f"a.{suffix}")
        assert sorted(path.name for path in tmp_path.glob(f"a.*{suffix}")) == [
            f"a.{part}{suffix}" for part in ("head.", "", "proposals.")
        ]
        exported = open_predictor(file, Settings(home=tmp_path))
        assert exported.task.name == "scene-text-detection"
        found = search_texts(exported.parts, image)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-2)
