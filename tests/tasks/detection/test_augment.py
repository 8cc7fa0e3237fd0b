"""Boxes go where their pictures go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture import Transform
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import TrainingRow
from zoohub.tasks.detection.augment import (
    Drawn,
    clip_boxes,
    flip,
    letterbox,
    mosaic,
    recolour,
)
from zoohub.tasks.detection.recipe import BoxAugment, DetectionRecipe, ScenesData
from zoohub.tasks.detection.rows import TrainingPictures, padded_targets
from zoohub.tasks.detection.samples import BoxSamples, Objects, as_boxes
from zoohub.tasks.detection.task import TASK
from zoohub.tasks.samples import Samples
from zoohub.training.batches import Loader, Plan

STILL = BoxAugment(mosaic=0, scale=0, shift=0, flip=0, hue=0, saturation=0, value=0)
RECIPE = DetectionRecipe(
    task="object-detection",
    model="yolov5n",
    data=ScenesData("digit-scenes"),
    augment=BoxAugment(mosaic=0.5),
    most_boxes=8,
)
CONTRACT = InputContract(
    size=(64, 64), layout="NCHW", value_range="0..1", interpolation="bilinear", resize="letterbox"
)


def _picture(seed: int, height: int = 48, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A grey picture with one white rectangle, and its box of class `seed`."""
    random = np.random.default_rng(seed)
    x, y = int(random.integers(4, width - 24)), int(random.integers(4, height - 20))
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[y : y + 14, x : x + 20] = 255
    return pixels, as_boxes([[seed, x, y, x + 20, y + 14]])


def _white(pixels: np.ndarray) -> list[float]:
    rows, columns = np.nonzero(pixels[:, :, 0] > 180)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize(
    "contract",
    [
        CONTRACT,
        replace(CONTRACT, align="corner"),
        replace(CONTRACT, align="corner", fill=(124, 90, 20)),
        replace(CONTRACT, fill=(0,), colour="BGR"),
        replace(CONTRACT, fill=(10, 90, 150), colour="BGR"),
    ],
)
@pytest.mark.parametrize("size", [(48, 64), (64, 40)])
def test_without_changes_a_letterbox_is_the_one_of_predict(
    contract: InputContract, size: tuple[int, int]
) -> None:
    pixels, boxes = _picture(1, *size)
    drawn = letterbox(Drawn(pixels, boxes), contract, STILL, np.random.default_rng(0))
    placed = drawn.pixels
    assert drawn.boxes[0, 1:].tolist() == _white(placed)
    expected = Transform(contract)(pixels)
    assert np.abs(placed[:, :, _order(contract)] - expected.transpose(1, 2, 0) * 255).max() <= 1
    samples = Samples([pixels], [Objects(boxes)], ["0"])
    learnt = TrainingPictures(samples, contract, replace(RECIPE, augment=STILL))(
        0, np.random.default_rng(0), {}.setdefault, 0
    )
    assert np.abs(learnt.inputs["image"] - expected).max() <= 1.01 / 255


@pytest.mark.parametrize("size", [(48, 64), (128, 32)])
def test_where_the_contract_stretches_so_does_training(size: tuple[int, int]) -> None:
    contract = replace(CONTRACT, resize="stretch")
    pixels, boxes = _picture(1, *size)
    samples = Samples([pixels], [Objects(boxes)], ["0"])
    learnt = TrainingPictures(samples, contract, replace(RECIPE, augment=STILL))(
        0, np.random.default_rng(0), {}.setdefault, 0
    )
    expected = Transform(contract)(pixels)
    assert np.abs(learnt.inputs["image"] - expected).mean() < 0.01
    _, x, y, width, height = learnt.targets["boxes"][0]
    found = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    assert np.abs(np.subtract(found, _white(expected.transpose(1, 2, 0) * 255))).max() <= 1


def _order(contract: InputContract) -> list[int]:
    return [2, 1, 0] if contract.colour == "BGR" else [0, 1, 2]


def test_around_a_mosaic_is_what_the_contract_fills_with() -> None:
    contract = replace(CONTRACT, fill=(10, 90, 150), colour="BGR")
    pictures = [Drawn(*_picture(i, 300, 30)) for i in range(4)]
    canvas = mosaic(pictures, contract, STILL, np.random.default_rng(0)).pixels
    assert canvas[0, 0].tolist() == canvas[-1, -1].tolist() == [150, 90, 10]


@pytest.mark.parametrize("seed", range(6))
def test_boxes_follow_scale_shift_and_mirror(seed: int) -> None:
    random = np.random.default_rng(seed)
    augment = BoxAugment(scale=0.3, shift=0.1)
    contract = replace(CONTRACT, size=(96, 96))
    placed = letterbox(Drawn(*_picture(seed)), contract, augment, random)
    assert np.abs(placed.boxes[0, 1:] - _white(placed.pixels)).max() <= 1.5
    mirrored = flip(placed)
    assert np.abs(mirrored.boxes[0, 1:] - _white(mirrored.pixels)).max() <= 1.5
    np.testing.assert_allclose(flip(mirrored).boxes, placed.boxes, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_follow_their_pictures_into_a_mosaic(seed: int) -> None:
    random = np.random.default_rng(seed)
    pictures = [Drawn(*_picture(seed * 4 + i)) for i in range(4)]
    drawn = mosaic(pictures, replace(CONTRACT, size=(128, 128)), BoxAugment(scale=0.2), random)
    canvas, boxes = drawn.pixels, drawn.boxes
    assert canvas.shape == (128, 128, 3)
    for _, x1, y1, x2, y2 in boxes:
        inside = canvas[round(y1) + 1 : round(y2) - 1, round(x1) + 1 : round(x2) - 1, 0]
        assert (inside > 180).mean() > 0.97
    total = (canvas[:, :, 0] > 180).sum()
    areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    assert areas.sum() <= total * 1.1


def test_what_is_hardly_left_of_a_box_is_no_target() -> None:
    boxes = as_boxes([[0, -30, 0, 10, 20], [1, -10, 0, 30, 20], [2, 5, 5, 7, 30], [3, 1, 1, 9, 9]])
    cut, kept = clip_boxes(boxes, (0, 0, 64, 64))
    assert cut.tolist() == [[1, 0, 0, 30, 20], [3, 1, 1, 9, 9]]
    assert kept.tolist() == [False, True, False, True]


def test_colours_change_and_boxes_do_not() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    assert recolour(pixels, STILL, np.random.default_rng(0)) is pixels
    changed = recolour(pixels, BoxAugment(), np.random.default_rng(0))
    assert changed.shape == pixels.shape
    assert 2 < np.abs(changed.astype(int) - pixels).mean() < 100


def test_targets_are_padded_and_the_largest_stay() -> None:
    boxes = as_boxes([[3, 0, 0, 10, 20], [1, 5, 5, 7, 7], [2, 0, 0, 30, 30]])
    assert padded_targets(boxes, 4).tolist() == [
        [3, 5, 10, 10, 20],
        [1, 6, 6, 2, 2],
        [2, 15, 15, 30, 30],
        [-1, 1, 1, 1, 1],
    ]
    assert padded_targets(boxes, 2)[:, 0].tolist() == [3, 2]


def test_batches_are_a_function_of_seed_and_epoch_whatever_the_threads() -> None:
    pictures = [_picture(i) for i in range(9)]
    objects = [Objects(boxes) for _, boxes in pictures]
    samples = Samples([p for p, _ in pictures], objects, [str(i) for i in range(9)])
    prepare = TrainingPictures(samples, CONTRACT, RECIPE)
    plan = Plan(9, 4, micro=2)

    def all_of(threads: int, first: int = 0, epoch: int = 1) -> list:
        loader = Loader(prepare, plan, 5, threads)
        return [batch for step in loader.steps(epoch, first) for batch in _parts(step, 2)]

    one, four, later = all_of(1), all_of(4), all_of(2, first=1)
    assert [images.shape for images, _ in one] == [(2, 3, 64, 64)] * 4
    # A part's targets are the whole step's, its own first.
    assert [targets.shape for _, targets in one] == [(4, 8, 5)] * 4
    assert (one[1][1] == np.roll(one[0][1], -2, axis=0)).all()
    for (images, targets), (again, same) in zip(one, four, strict=True):
        assert (images == again).all()
        assert (targets == same).all()
    assert (later[0][0] == one[2][0]).all()
    assert not (all_of(1, epoch=2)[0][0] == one[0][0]).all()


def test_the_next_readable_picture_takes_a_broken_ones_place_in_mosaics_too(
    tmp_path: Path,
) -> None:
    images: list[Path | np.ndarray] = []
    boxes = []
    for number in range(6):
        pixels, box = _picture(number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        images.append(tmp_path / f"{number}.png")
        boxes.append(Objects(box))
    names = [str(image) for image in images]
    # As if the broken ones were copies of the next readable one, over the end of the list.
    good = [1, 1, 3, 3, 1, 1]
    copies = Samples([images[i] for i in good], [boxes[i] for i in good], names)
    expected = _batches(copies, {}, 1)
    for broken in (0, 2, 4, 5):
        (tmp_path / f"{broken}.png").write_bytes(b"broken")
    for threads in (1, 4):
        noted: dict[str, str] = {}
        found = _batches(Samples(images, boxes, names), noted, threads)
        assert sorted(noted) == [names[i] for i in (0, 2, 4, 5)]
        assert all(name in reason for name, reason in noted.items())
        for one, other in zip(found, expected, strict=True):
            for array, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(array, same)
    for name in names:
        Path(name).write_bytes(b"broken")
    with pytest.raises(DataError, match="none of the 6 training pictures can be read"):
        _batches(Samples(images, boxes, names), {}, 2)


def _batches(samples: BoxSamples, noted: dict[str, str], threads: int) -> list:
    prepare = TrainingPictures(samples, CONTRACT, RECIPE)
    loader = Loader(prepare, Plan(6, 3), 5, threads, noted.setdefault)
    return [
        batch for epoch in range(2) for step in loader.steps(epoch) for batch in _parts(step, 1)
    ]


def _parts(step: TrainingRow, parts: int) -> list:
    """(images, targets) of each micro-batch."""
    batches = TASK.step_batches(step, RECIPE, 10, np.random.default_rng(0), parts)
    return [(images, targets) for (images,), (targets,) in batches]
