"""Resampling, beside MindSpore's own pipeline."""

import math
import sys
import tracemalloc
import types

import numpy as np
import pytest

from zoohub.inputs.picture.opencv import opencv_resize
from zoohub.inputs.picture.resize import _linear, resize

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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((375, 500), (256, 341)),
        ((75, 100), (224, 300)),
        ((1, 1), (9, 7)),
        ((640, 3), (31, 64)),
        ((2, 40_000), (3, 33_000)),
    ],
)
def test_opencv_gives_the_same_to_the_bit(size, wanted, channels):
    pytest.importorskip("cv2")
    picture = np.random.default_rng(0).integers(0, 256, (*size, channels), np.uint8)
    window = (slice(1, 3), slice(2, 6))
    theirs = resize(picture, *wanted, "bilinear", window, opencv=True)
    assert opencv_resize(_linear) is not _linear  # it did take part
    np.testing.assert_array_equal(theirs, resize(picture, *wanted, "bilinear", window))
    whole = resize(picture[:, ::-1], *wanted, "bilinear", opencv=True)
    np.testing.assert_array_equal(whole, resize(picture[:, ::-1], *wanted, "bilinear"))


class Error(Exception):
    """As OpenCV's own."""


def _fails(*_args, **_options):
    raise Error


@pytest.mark.parametrize(
    "broken",
    [
        {},  # without a single name
        {"INTER_LINEAR": 1},
        {"INTER_LINEAR": 1, "resize": _fails, "error": Error},
        {"INTER_LINEAR": 1, "resize": lambda *_args, **_options: None, "error": Error},
    ],
)
def test_an_opencv_that_is_broken_takes_no_part(monkeypatch, broken):
    monkeypatch.setitem(sys.modules, "cv2", types.SimpleNamespace(**broken))
    opencv_resize.cache_clear()
    assert opencv_resize(_linear) is _linear
    opencv_resize.cache_clear()


@pytest.mark.parametrize("error", [ImportError, AttributeError, RuntimeError, SystemError, OSError])
def test_an_opencv_that_cannot_be_imported_takes_no_part(monkeypatch, tmp_path, error):
    (tmp_path / "cv2.py").write_text(f"raise {error.__name__}('built for another NumPy')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    opencv_resize.cache_clear()
    assert opencv_resize(_linear) is _linear
    opencv_resize.cache_clear()


def test_what_opencv_refuses_is_resampled_without_it(monkeypatch):
    def small_ones(picture, size, interpolation):
        if size[0] > 100:
            raise Error
        return _linear(picture, size[1], size[0])

    cv2 = types.SimpleNamespace(INTER_LINEAR=1, resize=small_ones, error=Error)
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    opencv_resize.cache_clear()
    assert opencv_resize(_linear) is not _linear
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    found = resize(picture, 5, 200, "bilinear", opencv=True)
    np.testing.assert_array_equal(found, _linear(picture, 5, 200))
    opencv_resize.cache_clear()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_of_a_long_strip_only_what_is_kept_is_computed(interpolation):
    strip = np.random.default_rng(0).integers(0, 256, (1, 20_000, 1), np.uint8)
    window = (slice(16, 240), slice(2_559_888, 2_560_112))
    tracemalloc.start()
    found = resize(strip, 256, 5_120_000, interpolation, window, opencv=True)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (224, 224, 1)
    assert most < 2e8  # the whole has 1.3 GB


def test_an_opencv_that_rounds_in_another_way_takes_no_part():
    pytest.importorskip("cv2")

    def other(picture, height, width):
        return resize(picture, height, width, "bilinear") // 2

    assert opencv_resize(other) is other
