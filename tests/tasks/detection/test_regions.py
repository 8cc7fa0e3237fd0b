"""Two-stage detectors, beside MindSpore's own operators in the order of the publisher's network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, ops

import zoohub
from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.networks.faster_rcnn.network import faster_rcnn
from zoohub.networks.faster_rcnn.parts import search_parts
from zoohub.outputs import BoxTable, MaskedTable
from zoohub.predicting.compiled_parts import part_runners
from zoohub.predicting.opening import open_predictor
from zoohub.settings import Settings
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.detection.masks import pasted
from zoohub.tasks.detection.regions.alignment import STRIDES, region_features
from zoohub.tasks.detection.regions.anchors import anchors_of
from zoohub.tasks.detection.regions.moving import HEAD, ONE, moved
from zoohub.tasks.detection.regions.search import search_objects, seen_regions

SIZE = (32, 64)
CLASSES = 4
BACKGROUND = 6
WEIGHTS = {"scores.weight": 1.0, "rpn_reg.weight": 0.05}


def test_anchors_are_those_of_the_paper_in_whole_pixels() -> None:
    found = anchors_of(2, 3, 4)
    assert found.shape == (2 * 3 * 3, 4)
    # 32 pixels wide and high around 1.5, and half and twice as high.
    np.testing.assert_array_equal(found[1], [-14, -14, 17, 17])
    assert (found[:3, 2] - found[:3, 0]).tolist() == [45, 31, 21]
    np.testing.assert_array_equal(
        found[4:12:3] - found[1], [[4, 0, 4, 0], [8, 0, 8, 0], [0, 4, 0, 4]]
    )


@pytest.mark.parametrize("spread", [ONE, HEAD])
def test_boxes_move_as_by_mindspores_operator(spread: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 60, (50, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    offsets = rng.normal(0, 3, (50, 4)).astype(np.float32)
    decode = ops.BoundingBoxDecode(max_shape=SIZE, means=(0.0,) * 4, stds=spread)
    theirs = decode(Tensor(boxes), Tensor(offsets)).asnumpy()
    np.testing.assert_allclose(moved(boxes, offsets, spread, SIZE), theirs, rtol=1e-5, atol=1e-4)
    height, width = SIZE
    far = moved(boxes, np.full_like(offsets, 3e38), spread, SIZE)  # of weights that fit nothing
    assert (far == (width, height, width, height)).all()


def boxes_of_every_size(count: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(1)
    corners = rng.uniform(-20, 500, (count, 2))
    boxes = np.concatenate([corners, corners + rng.exponential(200, (count, 2))], axis=1)
    boxes[0] = [5, 5, 5, 5]
    return boxes.astype(np.float32)


@pytest.mark.parametrize("last_pixel", [False, True])
@pytest.mark.parametrize("cells", [7, 14])
def test_regions_are_looked_at_as_by_mindspores_operator(cells: int, last_pixel: bool) -> None:
    rng = np.random.default_rng(2)
    maps = [rng.normal(size=(3, 512 // s, 640 // s)).astype(np.float32) for s in STRIDES]
    boxes = boxes_of_every_size(60)
    found = region_features(maps, boxes, cells, last_pixel)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1))
    levels = np.clip(np.floor(np.log2(sides / 56 + 1e-6)), 0, 3).astype(int)
    assert set(levels) == {0, 1, 2, 3}
    for box, level, features in zip(boxes, levels, found, strict=True):
        align = ops.ROIAlign(cells, cells, 1 / STRIDES[level], 2, int(last_pixel))
        region = np.array([[0, *box]], np.float32)
        (theirs,) = align(Tensor(maps[level][None]), Tensor(region)).asnumpy()
        np.testing.assert_allclose(features, theirs, rtol=0, atol=1e-4)


def test_what_has_no_area_in_the_picture_is_not_told() -> None:
    row = Row({"image": np.zeros((3, 8, 16), np.float32)}, Geometry((8, 8), (8, 8), 0, 0))
    boxes = [[1, 1, 3, 3], [10, 2, 15, 6], [5, 2, 4.5, 6], [2, 4, 6, 4]]
    table = np.array([[0, *box, 0.9, 0] for box in boxes], np.float32)
    for form in (BoxTable(table), MaskedTable(BoxTable(table), np.ones((4, 28, 28), np.float32))):
        (found,) = interpret_boxes(form, [row], ("a",), DetectionOptions())
        assert [label.box for label in found] == [(1, 1, 3, 3)]


def test_a_mask_lies_over_the_whole_pixels_of_its_box() -> None:
    left = np.zeros((28, 28), np.float32)
    left[:, :14] = 1
    mask = pasted(left, np.array([2.7, 1.2, 11.9, 5.0], np.float32), (8, 20)).pixels()
    assert mask.shape == (8, 20)
    assert mask.sum() == 5 * 5  # half of 10 columns, from 1 to 5 all rows
    assert mask[1:6, 2:7].all()
    outside = pasted(left, np.array([30, 30, 40, 40], np.float32), (8, 20))
    assert outside.area == 0


def network(**arguments: bool) -> Any:
    """A small detector with weights that find something."""
    ms.set_seed(0)
    return with_findings(faster_rcnn("mobilenet_v1", num_classes=CLASSES, **arguments))


def with_findings(net: Any) -> Any:
    """The network with weights that find something."""
    rng = np.random.default_rng(3)
    for parameter in net.get_parameters():
        spread = next((value for name, value in WEIGHTS.items() if name in parameter.name), None)
        if spread is not None:
            values = rng.normal(0, spread, parameter.shape)
            parameter.set_data(Tensor(values.astype(np.float32)))
        if "cls_scores.bias" in parameter.name:  # most regions are background, and cost no mask
            parameter.set_data(Tensor(np.array([BACKGROUND, *[0] * (CLASSES - 1)], np.float32)))
    return net.set_train(False)


def by_operators(parts: Any, image: np.ndarray[Any, Any]) -> Iterator[tuple[float, ...]]:
    """Class, score and box of what a network of one head finds, by MindSpore's operators."""
    raw = dict(zip(parts["proposals"].outputs, parts["proposals"].net(Tensor(image)), strict=True))
    rows = []
    for stride in (*STRIDES, 64):
        logits, offsets = (
            raw[f"{what}_{stride}"][0].permute(1, 2, 0) for what in ("logits", "offsets")
        )
        scores = ops.sigmoid(logits.reshape(-1))
        best, places = ops.topk(scores, min(1000, scores.shape[0]))
        anchors = Tensor(anchors_of(logits.shape[0], logits.shape[1], stride))
        decode = ops.BoundingBoxDecode(max_shape=SIZE, means=(0.0,) * 4, stds=ONE)
        boxes = decode(anchors[places], offsets.reshape(-1, 4)[places])
        kept, _, valid = ops.NMSWithMask(0.7)(ops.concat((boxes, best[:, None]), 1))
        rows.append(kept.asnumpy()[valid.asnumpy()])
    found = np.concatenate(rows)
    regions = found[np.argsort(-found[:, 4], kind="stable")[:1000], :4]
    maps = [raw[f"map_{stride}"][0].asnumpy() for stride in STRIDES]
    features = region_features(maps, regions, 7)  # compared with `ROIAlign` above
    logits, offsets = parts["head"].net(Tensor(features))
    scores = ops.softmax(logits, -1).asnumpy()
    decode = ops.BoundingBoxDecode(max_shape=SIZE, means=(0.0,) * 4, stds=HEAD)
    first = offsets.shape[1] // 4 - CLASSES  # -1 where the background has no box
    chosen = []
    for label in range(1, CLASSES):
        own = offsets[:, 4 * (label + first) : 4 * (label + first) + 4]
        boxes = decode(Tensor(regions), own).asnumpy()
        likely = scores[:, label] > 0.05
        if not likely.any():
            continue
        table = np.concatenate([boxes, scores[:, label : label + 1]], axis=1)[likely]
        table = table[np.argsort(-table[:, 4], kind="stable")]
        kept, _, valid = ops.NMSWithMask(0.5)(Tensor(table.astype(np.float32)))
        chosen += [(label - 1, row) for row in kept.asnumpy()[valid.asnumpy()]]
    chosen.sort(key=lambda one: -one[1][4])
    return ((label, row[4], *row[:4]) for label, row in chosen[:100])


@pytest.mark.parametrize("background_box", [False, True])
def test_what_is_found_is_what_the_operators_find(background_box: bool) -> None:
    net = network(background_box=background_box)
    image = np.random.default_rng(4).normal(size=(1, 3, *SIZE)).astype(np.float32)
    found = search_objects(part_runners(net, "faster_rcnn", "pynative"), image)["detections"]
    expected = np.array([*by_operators(search_parts(net), image)])
    assert len(found) == len(expected) > 5
    np.testing.assert_array_equal(found[:, 6], expected[:, 0])
    np.testing.assert_allclose(found[:, 5], expected[:, 1], rtol=1e-4)
    np.testing.assert_allclose(found[:, 1:5], expected[:, 2:], rtol=0, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masks", "cascade"])
def test_a_batch_finds_what_its_pictures_do(kind: str) -> None:
    net = network(**{kind: True, "background_box": True})
    runners = part_runners(net, "faster_rcnn", "pynative")
    images = np.random.default_rng(5).normal(size=(2, 3, *SIZE)).astype(np.float32)
    both = search_objects(runners, images)
    assert set(both) == ({"detections", "masks"} if kind == "masks" else {"detections"})
    for place, image in enumerate(images):
        alone = search_objects(runners, image[None])
        own = both["detections"][:, 0] == place
        assert own.any()
        np.testing.assert_array_equal(both["detections"][own, 1:], alone["detections"][:, 1:])
        if kind == "masks":
            assert alone["masks"].shape[1:] == (28, 28)
            np.testing.assert_array_equal(both["masks"][own], alone["masks"])


@pytest.mark.slow
def test_compiled_parts_find_the_same() -> None:
    net = network(masks=True, background_box=True)
    images = np.random.default_rng(6).normal(size=(2, 3, *SIZE)).astype(np.float32)
    eager, compiled = (
        search_objects(part_runners(net, "faster_rcnn", mode), images)
        for mode in ("pynative", "graph")
    )
    assert set(eager["detections"][:, 0]) == {0, 1}  # of which each has other regions
    np.testing.assert_allclose(eager["detections"], compiled["detections"], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(eager["masks"], compiled["masks"], rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["onnx", "mindir"])
@pytest.mark.parametrize(
    ("model", "files"),
    [
        ("maskrcnn_mobilenetv1", 3),
        pytest.param("res2net_faster_rcnn", 2, marks=pytest.mark.every),
        pytest.param("cascadercnn", 4, marks=pytest.mark.every),
    ],
)
def test_an_export_in_parts_finds_the_same(
    model: str, files: int, suffix: str, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    ms.set_seed(0)
    net = with_findings(zoohub.load(model, num_classes=CLASSES))
    if files != 3:
        calm(net)
    file = zoohub.export(net, tmp_path / f"a.{suffix}", check=True)
    assert len(list(tmp_path.glob(f"*.{suffix}"))) == files
    exported = open_predictor(file, Settings(home=tmp_path))
    assert exported.task.name == "object-detection"
    image = np.random.default_rng(7).normal(size=(1, 3, *SIZE)).astype(np.float32)
    expected = search_objects(part_runners(net, "faster_rcnn", "pynative"), image)
    found = search_objects(exported.parts, image)
    assert found.keys() == expected.keys()
    assert len(np.unique(expected["detections"][:, 1:5], axis=0)) > 5
    np.testing.assert_allclose(found["detections"], expected["detections"], rtol=1e-3, atol=1e-2)
    if "masks" in expected:
        np.testing.assert_allclose(found["masks"], expected["masks"], rtol=0, atol=1e-3)


def calm(net: Any) -> None:
    """Halve every norm: the maps of a fresh residual network, which grow from block to block to a
    million, are then some ones, and what is found hangs on no rounding."""
    for parameter in net.get_parameters():
        if parameter.name.endswith("gamma"):
            parameter.set_data(parameter / 2)


def test_values_that_are_not_finite_are_an_error() -> None:
    net = network()
    weight = net.rpn_with_loss.rpn_convs_list[0].rpn_cls.bias
    weight.set_data(Tensor(np.full(weight.shape, np.nan, np.float32)))
    image = np.zeros((1, 3, *SIZE), np.float32)
    with pytest.raises(DataError, match="not finite"):
        search_objects(part_runners(net, "faster_rcnn", "pynative"), image)


def test_proposals_without_a_head_are_an_error_that_says_so() -> None:
    with pytest.raises(DataError, match=r"has proposals, but none of the parts head, head_1"):
        seen_regions({}, [], np.zeros((1, 4), np.float32), SIZE)
