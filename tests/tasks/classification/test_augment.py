"""Random changes keep size and type, are repeatable, and do what they are called."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from zoohub.inputs.picture import Transform
from zoohub.manifest.entry import InputContract
from zoohub.tasks.classification.augment import affine, change, crop_box, mix, recolour
from zoohub.tasks.classification.recipe import Augment
from zoohub.tasks.classification.rows import TrainingPictures
from zoohub.tasks.samples import Samples

CONTRACT = InputContract(
    size=(32, 48),
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.3, 0.4),
    interpolation="bilinear",
    crop=0.875,
    resize="crop",
)


def image_of(prepare: TrainingPictures, place: int) -> np.ndarray:
    return prepare(place, np.random.default_rng(0), lambda name, reason: None, 0).inputs["image"]


def picture(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("resize", ["crop", "letterbox", "stretch"])
@pytest.mark.parametrize("colour", ["RGB", "BGR", "L"])
def test_without_changes_training_sees_what_evaluation_sees(resize: str, colour: str) -> None:
    contract = dataclasses.replace(CONTRACT, resize=resize, colour=colour)
    if colour == "L":
        contract = dataclasses.replace(contract, channels=1, mean=(0.4,), std=(0.2,))
    samples = Samples([np.asarray(picture())], [0], ["a"])
    expected = Transform(contract)(np.asarray(picture()))
    found = image_of(TrainingPictures(samples, contract, Augment()), 0)
    assert found.dtype == np.float32
    assert (found == expected).all()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "augment",
    [
        Augment(flip=1.0),
        Augment(rotate=20, shift=0.1, zoom=0.2, shear=10),
        Augment(colour=0.5),
        Augment(erase=1.0),
    ],
)
def test_a_change_keeps_size_and_mode_and_is_repeatable(augment: Augment, mode: str) -> None:
    before = picture(mode)
    one = change(before, augment, np.random.default_rng(1))
    two = change(before, augment, np.random.default_rng(1))
    assert (one.size, one.mode) == (before.size, before.mode)
    assert one.tobytes() == two.tobytes() != before.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_colours_change_as_pillow_changes_them_one_by_one(mode: str) -> None:
    before = picture(mode).point(lambda level: 100 + level // 8)  # far from black and white
    random = np.random.default_rng(3)
    kinds = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    expected = before
    for kind in kinds[: 3 if mode == "RGB" else 2]:
        expected = kind(expected).enhance(1 + random.uniform(-0.3, 0.3))
    found = recolour(before, 0.3, np.random.default_rng(3))
    difference = np.asarray(found, np.int64) - np.asarray(expected, np.int64)
    assert np.abs(difference).max() <= 3  # Pillow rounds down after each
    assert np.asarray(found).std() != pytest.approx(np.asarray(before).std(), rel=0.01)


def test_no_turn_shift_or_zoom_is_the_identity() -> None:
    matrix = affine(60, 40, Augment(), np.random.default_rng(0))
    assert matrix == pytest.approx((1, 0, 0, 0, 1, 0))


def test_a_crop_keeps_the_share_of_the_area_it_is_told() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        left, top, right, bottom = crop_box(200, 100, (0.2, 0.3), random)
        assert 0 <= left < right <= 200
        assert 0 <= top < bottom <= 100
        assert 0.18 <= (right - left) * (bottom - top) / 20000 <= 0.32


@pytest.mark.parametrize("augment", [Augment(mixup=0.4), Augment(cutmix=1.0)])
def test_mixed_targets_have_the_shares_of_the_mixed_pictures(augment: Augment) -> None:
    images = np.stack([np.zeros((1, 16, 16)), np.ones((1, 16, 16))]).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)
    mixed, shares = mix(images, targets, augment, np.random.default_rng(2))
    assert shares.sum(1) == pytest.approx([1, 1])
    assert mixed[0].mean() == pytest.approx(shares[0, 1], abs=1e-6)
    assert not np.array_equal(mixed, images)


def test_a_photo_is_trained_on_upright_and_on_white_as_it_is_evaluated(tmp_path: Path) -> None:
    """A phone's camera turns the picture by a tag; a drawing may be transparent."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    turned, clear = tmp_path / "turned.jpg", tmp_path / "clear.png"
    Image.fromarray(np.repeat(np.uint8([[0], [255]]), 32, 1).repeat(16, 0)).save(turned, exif=exif)
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(clear)
    contract = InputContract(
        size=(32, 32), channels=3, layout="NCHW", value_range="0..1", mean=None, std=None,
        interpolation="bilinear", crop=1.0, resize="crop", colour="RGB",
    )  # fmt: skip
    samples = Samples([turned, clear], [0, 0], ["a", "b"])
    prepare = TrainingPictures(samples, contract, Augment(area=(1.0, 1.0)))
    for place, file in enumerate((turned, clear)):
        expected = Transform(contract)(file)
        np.testing.assert_allclose(image_of(prepare, place), expected, atol=0.02)
    upright = image_of(prepare, 0)
    assert upright[0, 16, 2] > 0.9
    assert upright[0, 16, -3] < 0.1
