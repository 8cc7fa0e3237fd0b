"""From a picture to the network's input."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture import Transform
from zoohub.inputs.picture.transforms import crop_geometry, letterbox_geometry
from zoohub.manifest.entry import InputContract, LineContract

IMAGENET = InputContract(
    size=(224, 224),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    interpolation="bilinear",
    crop=0.875,
)
YOLO = InputContract(size=(64, 64), interpolation="area", resize="letterbox")
LENET = InputContract(
    size=(32, 32),
    channels=1,
    mean=(0.1307,),
    std=(0.3081,),
    interpolation="bilinear",
    resize="stretch",
    colour="L",
)


def waves(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([(x * 3 + y) % 256, (y * 2) % 256, (x + y) % 256], axis=2).astype(np.uint8)


@pytest.mark.parametrize("size", [(375, 500), (500, 333), (128, 200)])
@pytest.mark.parametrize("crop", [0.875, 0.9])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_crop_gives_what_mindcvs_evaluation_gives(size, crop, interpolation):
    vision = pytest.importorskip("mindspore.dataset.vision")
    picture = waves(*size)
    mean = [value * 255 for value in (0.485, 0.456, 0.406)]
    std = [value * 255 for value in (0.229, 0.224, 0.225)]
    theirs = picture
    for step in (
        vision.Resize(int(224 / crop), getattr(vision.Inter, interpolation.upper())),
        vision.CenterCrop(224),
        vision.Normalize(mean, std),
        vision.HWC2CHW(),
    ):
        theirs = step(theirs)
    ours = Transform(replace(IMAGENET, crop=crop, interpolation=interpolation))(picture)
    one_grey_level = 1 / 255 / 0.224
    assert ours.shape == theirs.shape == (3, 224, 224)
    assert np.abs(ours - theirs).max() < one_grey_level * 1.01
    assert (np.abs(ours - theirs) > 1e-5).mean() < 0.002


def test_a_path_an_image_and_an_array_give_the_same(tmp_path):
    picture = waves(50, 70)
    Image.fromarray(picture).save(tmp_path / "a.png")
    transform = Transform(IMAGENET)
    expected = transform(picture)
    assert np.array_equal(transform(tmp_path / "a.png"), expected)
    assert np.array_equal(transform(str(tmp_path / "a.png")), expected)
    assert np.array_equal(transform(Image.fromarray(picture)), expected)
    assert expected.dtype == np.float32
    assert expected.flags.c_contiguous


def test_values_layout_and_colours_follow_the_contract():
    picture = np.full((40, 40, 3), (255, 0, 51), np.uint8)
    plain = replace(IMAGENET, mean=None, std=None)
    assert Transform(plain)(picture)[:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    bgr = Transform(replace(plain, colour="BGR"))(picture)
    assert bgr[:, 0, 0].tolist() == pytest.approx([0.2, 0, 1])
    last = Transform(replace(plain, layout="NHWC"))(picture)
    assert last.shape == (224, 224, 3)
    scaled = replace(IMAGENET, value_range="0..255", mean=(5.0, 1.0, 1.0), std=(2.0, 1.0, 5.0))
    assert Transform(scaled)(picture)[:, 0, 0].tolist() == pytest.approx([125, -1, 10])


def test_a_grey_contract_stretches_to_its_size():
    picture = np.full((10, 90, 3), 255, np.uint8)
    array = Transform(LENET)(picture)
    assert array.shape == (1, 32, 32)
    assert np.allclose(array, (1 - 0.1307) / 0.3081)


def test_an_input_that_is_not_square_is_stretched_then_cropped():
    geometry = crop_geometry((100, 300), (192, 96), 0.75)
    assert geometry.resized == (256, 128)
    assert (geometry.top, geometry.left) == (-32, -16)


@pytest.mark.parametrize(
    ("picture", "resized", "top", "left"),
    [
        ((480, 640), (480, 640), 80, 0),
        ((1080, 1920), (360, 640), 140, 0),
        ((375, 500), (480, 640), 80, 0),  # enlarged
        ((640, 427), (640, 427), 0, 106),  # the odd pixel of padding goes right
        ((3, 4000), (1, 640), 319, 0),  # never thinner than a pixel
    ],
)
def test_letterbox_keeps_the_ratio_and_centres(picture, resized, top, left):
    geometry = letterbox_geometry(picture, (640, 640))
    assert (geometry.resized, geometry.top, geometry.left) == (resized, top, left)


def test_a_letterbox_may_lie_in_the_corner_and_be_filled_with_levels_of_its_own():
    contract = replace(
        YOLO, align="corner", fill=(104, 117, 123), mean=(104, 117, 123), std=(1, 1, 1),
        value_range="0..255", interpolation="bilinear",
    )  # fmt: skip
    prepared = Transform(contract).prepare(np.full((20, 40, 3), 200, np.uint8))
    assert (prepared.geometry.top, prepared.geometry.left) == (0, 0)
    assert (prepared.array[:, 32:] == 0).all()
    np.testing.assert_array_equal(prepared.array[:, 0, 0], [96, 83, 77])
    black = Transform(replace(contract, align="centre", fill=(0,)))(np.zeros((20, 40, 3), np.uint8))
    np.testing.assert_array_equal(black[:, 0, 0], [-104, -117, -123])
    with pytest.raises(DataError, match="2 fill values for 3 channels"):
        Transform(replace(contract, fill=(1, 2)))


def test_letterbox_pads_with_grey_114():
    prepared = Transform(YOLO).prepare(np.zeros((32, 64, 3), np.uint8))
    assert np.unique(prepared.array).tolist() == pytest.approx([0, 114 / 255])
    assert (prepared.array[:, 16:48] == 0).all()
    assert (prepared.array[:, :16] > 0.4).all()


@pytest.mark.parametrize("contract", [YOLO, replace(YOLO, resize="stretch"), IMAGENET])
@pytest.mark.parametrize("size", [(37, 91), (200, 120), (64, 64)])
def test_boxes_go_back_to_where_the_pixels_came_from(contract, size):
    """A white patch is found in the input, and its box led back to the picture."""
    picture = np.zeros((*size, 3), np.uint8)
    top, left, bottom, right = (round(side * part) for part in (0.4, 0.6) for side in size)
    picture[top:bottom, left:right] = 255
    contract = replace(contract, mean=None, std=None)
    prepared = Transform(contract).prepare(picture)
    rows, columns = np.nonzero(prepared.array[0] > 0.7)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    found = prepared.geometry.to_picture(box)[0]
    tolerance = 1.01 / min(prepared.geometry.scale_x, prepared.geometry.scale_y)
    assert np.abs(found - [left, top, right, bottom]).max() <= max(1.0, tolerance)


def test_boxes_are_cut_at_the_pictures_edges():
    geometry = letterbox_geometry((480, 640), (640, 640))
    boxes = np.array([[-50, 0, 700, 640]], np.float32)
    assert geometry.to_picture(boxes).tolist() == [[0, 0, 640, 480]]
    assert geometry.to_picture(np.empty((0, 4), np.float32)).shape == (0, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": None}, "size"),
        ({"interpolation": None}, "interpolation"),
        ({"crop": None}, "crop"),
        ({"mean": None}, "mean"),
        ({"std": None}, "std"),
        ({"channels": 4}, "4"),
        ({"mean": (0.5,)}, "1 mean value for 3 channels"),
        ({"std": (0.0, 1.0, 1.0)}, "std of 0"),
        ({"size": (60_000, 60_000)}, "megapixels large"),
        ({"crop": 1e-9}, "megapixels large"),
        ({"resize": "line", "line": LineContract(widest=10**9)}, "megapixels large"),
        ({"crop": 1.5}, "crop 1.5"),
        ({"size": (0, 224)}, "size"),
    ],
)
def test_a_contract_that_does_not_say_enough_is_an_error(change, message):
    with pytest.raises(DataError, match=message):
        Transform(replace(IMAGENET, **change))


def test_only_the_crop_needs_a_crop():
    Transform(replace(YOLO, crop=None))
    Transform(replace(LENET, crop=None))
