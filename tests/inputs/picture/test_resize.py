"""Resampling, beside MindSpore's own pipeline."""

import math

import numpy as np
import pytest

from zoohub.inputs.picture.resize import resize

INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "area"]


def smooth_picture(height: int, width: int) -> np.ndarray:
    """Waves and noise: what a photo has, without a photo."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    waves = [np.sin(x / (7 + c)) * np.cos(y / (11 - c)) for c in range(3)]
    noise = rng.normal(0, 12, (height, width, 3))
    return np.clip(np.stack(waves, axis=2) * 90 + 128 + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(375, 500), (500, 333), (200, 150), (1200, 900), (512, 600)])
def test_it_gives_what_mindspores_pipeline_gives(interpolation, size):
    vision = pytest.importorskip("mindspore.dataset.vision")
    picture = smooth_picture(*size)
    theirs = vision.Resize(256, getattr(vision.Inter, interpolation.upper()))(picture)
    ours = resize(picture, *theirs.shape[:2], interpolation)
    if interpolation == "area" and min(size) < 256:  # enlarging: ours is bilinear, as mindyolo's
        theirs = vision.Resize(256, vision.Inter.BILINEAR)(picture)
    difference = np.abs(theirs.astype(int) - ours)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.002


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(90, 120), (30, 41), (100, 30)])
def test_a_window_is_that_part_of_the_whole(interpolation, size):
    picture = np.random.default_rng(7).integers(0, 256, (60, 80, 3), np.uint8)
    window = slice(3, 25), slice(5, 28)
    part = resize(picture, *size, interpolation, window)
    assert np.array_equal(part, resize(picture, *size, interpolation)[window])


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_a_picture_of_the_right_size_stays_as_it_is(interpolation):
    picture = smooth_picture(20, 30)
    assert np.array_equal(resize(picture, 20, 30, interpolation), picture)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (50, 3), (64, 64)])
def test_one_colour_stays_that_colour(interpolation, size):
    picture = np.full((17, 23, 3), (7, 128, 250), np.uint8)
    resized = resize(picture, *size, interpolation)
    assert resized.shape == (*size, 3)
    assert (resized == (7, 128, 250)).all()


def test_a_single_pixel_can_be_enlarged():
    picture = np.array([[[9, 8, 7]]], np.uint8)
    for interpolation in INTERPOLATIONS:
        assert (resize(picture, 4, 5, interpolation) == (9, 8, 7)).all()


def test_area_averages_whole_blocks():
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4, 1) * 4
    assert resize(picture, 2, 2, "area")[..., 0].tolist() == [[10, 18], [42, 50]]


@pytest.mark.parametrize("channels", [1, 3])
def test_area_rounds_the_halves_of_four_pixels_up(channels):
    picture = np.array([[0, 1, 2, 3], [1, 0, 3, 4]], np.uint8)[..., None].repeat(channels, 2)
    assert resize(picture, 1, 2, "area")[0, :, -1].tolist() == [1, 3]


def test_area_counts_cut_pixels_in_part():
    picture = np.array([0, 90, 30], np.uint8).reshape(1, 3, 1)
    # Boxes of 1.5 pixels: (0 + 90/2) / 1.5 and (90/2 + 30) / 1.5.
    assert resize(picture, 1, 2, "area")[0, :, 0].tolist() == [30, 50]


def test_bilinear_does_not_antialias():
    stripes = np.zeros((1, 64, 1), np.uint8)
    stripes[:, ::4] = 255  # every fourth column, between the sampled ones
    assert math.isclose(resize(stripes, 1, 16, "bilinear").max(), 0)
    assert resize(stripes, 1, 16, "area").min() > 60
