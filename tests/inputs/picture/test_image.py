"""Reading pictures of every kind."""

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture.image import read_image


@pytest.fixture
def arrow() -> Image.Image:
    """4 wide, 2 high; red, the upper left pixel blue."""
    image = Image.new("RGB", (4, 2), (255, 0, 0))
    image.putpixel((0, 0), (0, 0, 255))
    return image


def test_a_file_is_read_as_rgb(tmp_path, arrow):
    arrow.save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png")
    assert pixels.shape == (2, 4, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert read_image(str(tmp_path / "a.png"), "BGR")[0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_turns_the_picture_upright(tmp_path, arrow):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    arrow.save(tmp_path / "a.png", exif=exif)
    pixels = read_image(tmp_path / "a.png")
    assert pixels.shape == (4, 2, 3)
    assert pixels[0, 1].tolist() == [0, 0, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV", "RGBA", "LA", "I;16"])
def test_every_mode_becomes_rgb_and_grey(mode):
    grey = Image.new("L", (3, 2), 255)
    if mode == "I;16":
        image = Image.fromarray(np.full((2, 3), 65535, np.uint16))
        assert image.mode == "I;16"
    else:
        image = grey.convert("RGB").convert(mode)
    assert (read_image(image) == 255).all()
    assert read_image(image).shape == (2, 3, 3)
    assert (read_image(image, "L") == 255).all()
    assert read_image(image, "L").shape == (2, 3, 1)


def test_sixteen_bits_keep_their_upper_eight(tmp_path):
    grey = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "g.png")
    assert read_image(tmp_path / "g.png", "L")[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_transparent_pixels_are_white_and_half_transparent_ones_half():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    assert read_image(image)[0].tolist() == [[255] * 3, [127] * 3]


def test_a_palettes_transparent_colour_is_white(tmp_path):
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "p.png", transparency=0)
    assert read_image(tmp_path / "p.png")[0].tolist() == [[255] * 3, [10, 20, 30]]


def test_an_animation_counts_by_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("white", "black")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / "a.gif") == 255).all()


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4)])
def test_arrays_of_every_shape_are_pictures(shape):
    assert read_image(np.full(shape, 255, np.uint8)).tolist() == [[[255] * 3] * 3] * 2


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 3), np.float32),
        np.zeros((3, 8, 2), np.uint8),
        np.zeros((1, 2, 3, 3), np.uint8),
        np.zeros((0, 3, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=["float", "two channels", "batch", "empty", "one axis"],
)
def test_another_array_is_refused_with_what_was_expected(array):
    with pytest.raises(DataError, match=r"uint8, \(H, W\).*got .*\("):
        read_image(array)


def test_floating_point_pixels_are_refused():
    with pytest.raises(DataError, match="8 or 16 bits"):
        read_image(Image.new("F", (2, 2)))


def test_a_file_that_is_no_image_says_so(tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(DataError, match=r"notes\.jpg is not an image"):
        read_image(tmp_path / "notes.jpg")
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match=r"empty\.png is empty, so not an image"):
        read_image(tmp_path / "empty.png")
    with pytest.raises(DataError, match="no such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(DataError, match="folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp", "bmp"])
def test_a_picture_cut_short_is_an_error_and_never_half_a_picture(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(noise).save(whole)
    data = whole.read_bytes()
    for part in (20, len(data) // 2):
        cut = tmp_path / f"cut{part}.{suffix}"
        cut.write_bytes(data[:part])
        with pytest.raises(DataError, match=f"cut{part}"):
            read_image(cut)
