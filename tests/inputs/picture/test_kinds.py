"""Which files are pictures, and what is said of those that are none or are too large."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, features

from zoohub.errors import DataError, ZoohubError
from zoohub.inputs.picture.files import find_unreadable, other_files, picture_files
from zoohub.inputs.picture.image import open_image, read_image
from zoohub.inputs.picture.kinds import IMAGE_SUFFIXES, is_picture, kinds_found, unread_format
from zoohub.inputs.picture.sources import expand_inputs
from zoohub.settings import load_settings
from zoohub.tasks.classification.folder import read_folder
from zoohub.tasks.classification.recipe import FolderData
from zoohub.tasks.segmentation.masks import read_mask

SIZE = (13_000, 13_000)  # 169 megapixels
FORMATS = {".jfif": "JPEG", ".jpe": "JPEG", ".jp2": "JPEG2000", ".j2k": "JPEG2000", ".tga": "TGA",
           ".apng": "PNG", ".dib": "DIB", ".pbm": "PPM", ".webp": "WEBP"}  # fmt: skip


def _save(path: Path, format: str = "PNG", size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("1" if path.suffix == ".pbm" else "RGB", size).save(path, format)
    return path


def _huge_png(path: Path, size: tuple[int, int] = SIZE) -> Path:
    """A picture of grey that is all black: some kilobytes."""
    small = io.BytesIO()
    Image.new("L", (1, 1)).save(small, "PNG")
    data = small.getvalue()
    head = b"IHDR" + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + b"\x08\0\0\0\0"
    start = data[:8] + b"\0\0\0\x0d" + head + zlib.crc32(head).to_bytes(4, "big")
    body = zlib.compressobj(9)
    row = b"\0" * (size[0] + 1)
    pixels = b"".join(body.compress(row) for _ in range(size[1])) + body.flush()
    chunk = b"IDAT" + pixels
    whole = len(pixels).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    path.write_bytes(start + whole + data[-12:])
    return path


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _huge_png(tmp_path_factory.mktemp("huge") / "huge.png")


@pytest.mark.parametrize("suffix", FORMATS)
def test_whatever_pillow_always_reads_is_used(tmp_path: Path, suffix: str) -> None:
    file = _save(tmp_path / f"a{suffix}", FORMATS[suffix])
    assert suffix in IMAGE_SUFFIXES
    assert picture_files(tmp_path) == [file]
    assert find_unreadable([file]) == {}
    assert [source.value for source in expand_inputs(tmp_path)] == [file]
    assert read_image(file).shape == (6, 8, 3)


@pytest.mark.parametrize("name", ["a", "a.jpg_large", "photo.2024", "a.image"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_pictures_are_known_by_their_content_too(tmp_path: Path, name: str, format: str) -> None:
    file = _save(tmp_path / name, format)
    assert picture_files(tmp_path) == [file]


@pytest.mark.parametrize("name", ["a.txt", "a.xml", ".a.png", "a.png~", "a.npy", "Thumbs.db"])
def test_what_lies_beside_pictures_is_none(tmp_path: Path, name: str) -> None:
    assert not is_picture(_save(tmp_path / name))


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".heic", "HEIC"), (".HEIF", "HEIF"), (".jxl", "JPEG XL"), (".cr2", "raw"), (".svg", "SVG")],
)
def test_pictures_that_pillow_does_not_read_are_named_with_the_cure(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(b"some other bytes")
    reason = f"{kind}, which Pillow does not read here; convert it to JPEG or PNG"
    assert find_unreadable(picture_files(tmp_path)) == {file: reason}
    assert unread_format(file) == reason
    (source,) = expand_inputs(tmp_path)
    with pytest.raises(DataError, match=f"{kind}, which Pillow does not read here; convert"):
        read_image(source.value)  # type: ignore[arg-type]


def test_avif_is_read_where_pillow_reads_it_and_named_where_not(tmp_path: Path) -> None:
    file = tmp_path / "a.avif"
    if features.check("avif"):
        _save(file, "AVIF")
        assert find_unreadable(picture_files(tmp_path)) == {}
        file.rename(tmp_path / "b")
        assert picture_files(tmp_path) == [tmp_path / "b"]
    file.write_bytes(b"none")
    (reason,) = find_unreadable([file]).values()
    assert reason.endswith("convert it to JPEG or PNG, or install Pillow 11.3 or newer")


def test_a_folder_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.xyz").write_text("no picture")
    (folder / "README").touch()
    with pytest.raises(DataError, match=r"no image in folder .*found 3 \.xyz, 1 without a suffix"):
        expand_inputs(folder)
    assert other_files(folder) == "3 .xyz, 1 without a suffix"
    assert kinds_found([]) == "nothing"
    assert kinds_found(Path(f"a.{n}") for n in range(9)).endswith("and others")


def test_training_counts_what_it_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    for name in ("a/1.png", "a/2.jfif", "b/1.jpe", "b/2.png"):
        _save(folder / name, "JPEG" if "j" in name else "PNG")
    (folder / "a" / "3.heic").write_bytes(b"some other bytes")
    (folder / "c").mkdir()
    (folder / "c" / "1.xyz").write_text("x")
    splits = read_folder(FolderData("folder", str(folder), validation=0.0))
    assert len(splits.train) == 4
    assert splits.skipped["a/3.heic"].startswith("HEIC, which Pillow does not read here")
    assert splits.warnings == ("no pictures, left out: c (found 1 .xyz)",)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_too_large_is_refused_before_it_is_decoded(
    huge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert huge.stat().st_size < 200_000
    monkeypatch.setattr(Image.Image, "load", None)  # whoever decodes it fails
    message = (
        r"169 megapixels, which take about 1\.9 GB to read; the limit is 89: make it smaller, or "
        r"set ZOOHUB_MAX_PIXELS=169000000"
    )
    for read in (read_image, open_image, read_mask):
        with pytest.raises(DataError, match=message) as caught:
            read(huge)
        assert str(huge) in str(caught.value)
    (reason,) = find_unreadable([huge]).values()
    assert reason.startswith("169 megapixels")
    with Image.open(huge) as image, pytest.raises(DataError, match="169 megapixels"):
        read_image(image)


@pytest.mark.parametrize("size", [(13_500, 13_500), (60_000, 30_000)])
def test_pillows_own_refusal_is_said_in_our_words(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _huge_png(tmp_path / "x.png", (size[0], 1))
    data = file.read_bytes()
    head = b"IHDR" + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + b"\x08\0\0\0\0"
    file.write_bytes(data[:12] + head + zlib.crc32(head).to_bytes(4, "big") + data[33:])
    pixels = size[0] * size[1]
    with pytest.raises(DataError, match=f"x.png: {pixels / 1e6:.0f} megapixels.*={pixels}"):
        read_image(file)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # put back at the end
    monkeypatch.setenv("ZOOHUB_MAX_PIXELS", str(pixels))
    assert find_unreadable([file]) == {}  # so large that only its header is read beforehand


def test_the_setting_moves_the_limit_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _save(tmp_path / "a.png", size=(1500, 1000))
    assert read_image(file).shape == (1000, 1500, 3)
    monkeypatch.setenv("ZOOHUB_MAX_PIXELS", "1000000")
    with pytest.raises(DataError, match=r"a\.png: 2 megapixels.*the limit is 1.*=1500000"):
        read_image(file)
    monkeypatch.setenv("ZOOHUB_MAX_PIXELS", "1500000")
    assert read_image(file).shape == (1000, 1500, 3)


def test_a_large_jpeg_is_trained_on_at_a_smaller_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _save(tmp_path / "a.jpg", "JPEG", (3000, 2000))
    monkeypatch.setenv("ZOOHUB_MAX_PIXELS", "1000000")
    assert find_unreadable([file]) == {}
    assert open_image(file, at_least=(256, 256)).size == (375, 250) or open_image(
        file, at_least=(256, 256)
    ).size == (750, 500)
    with pytest.raises(DataError, match="6 megapixels"):
        read_image(file)


@pytest.mark.parametrize("text", ["many", "-1", "1e8", "999999", "9" * 5000, "²000000"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ZoohubError, match=r"ZOOHUB_MAX_PIXELS=.*whole number of pixels"):
        load_settings({"ZOOHUB_MAX_PIXELS": text})


@pytest.mark.parametrize("name", ["a\0.png", "a" * 5000 + ".png", "\ud800.png", "gone.png"])
def test_odd_names_are_unreadable_and_no_more(tmp_path: Path, name: str) -> None:
    (reason,) = find_unreadable([tmp_path / name]).values()
    assert len(reason) < 200
