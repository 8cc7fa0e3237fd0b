"""From what the user names to a list of inputs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture.sources import expand_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "sub.png").mkdir()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "d.png").touch()
    return tmp_path


def names(inputs: object, folder: Path) -> list[str]:
    return [str(Path(s.name).relative_to(folder)) for s in expand_inputs(inputs)]  # type: ignore[arg-type]


def test_a_folder_stands_for_the_images_directly_in_it_sorted(folder):
    assert names(folder, folder) == ["a.png", "b.JPG", "c.webp"]
    assert names(str(folder), folder) == ["a.png", "b.JPG", "c.webp"]


def test_patterns_match_images_only(folder):
    assert names(f"{folder}/*", folder) == ["a.png", "b.JPG", "c.webp"]
    assert names(f"{folder}/[ab].*", folder) == ["a.png", "b.JPG"]
    assert names(f"{folder}/**/*", folder) == ["a.png", "b.JPG", "c.webp", "deep/d.png"]


def test_a_file_named_outright_is_kept_whatever_it_is(folder):
    assert names([folder / "notes.txt", folder / "absent.png"], folder) == [
        "notes.txt",
        "absent.png",
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    (folder / "a[1].png").touch()
    assert names(f"{folder}/a[1].png", folder) == ["a[1].png"]


def test_the_order_of_the_inputs_is_kept_and_nothing_is_dropped(folder):
    inputs = [folder / "c.webp", folder / "deep", folder / "c.webp"]
    assert names(inputs, folder) == ["c.webp", "deep/d.png", "c.webp"]


def test_pictures_are_called_by_their_file_or_their_place(folder):
    image = Image.new("RGB", (2, 2))
    image.save(folder / "a.png")
    array = np.zeros((2, 2, 3), np.uint8)
    sources = expand_inputs([image, array, Image.open(folder / "a.png")])
    assert [s.name for s in sources] == ["image 0", "image 1", str(folder / "a.png")]
    assert [s.name for s in expand_inputs(image)] == ["image 0"]
    assert [s.name for s in expand_inputs(array)] == ["image 0"]


def test_where_nothing_matches_it_says_what_was_looked_for(folder):
    (folder / "empty").mkdir()
    with pytest.raises(
        DataError, match=r"no image in folder .*empty \(looked for .*\.jpg.*found nothing"
    ):
        expand_inputs(folder / "empty")
    with pytest.raises(DataError, match="no image in pattern"):
        expand_inputs(f"{folder}/*.bmp")
    with pytest.raises(DataError, match="no input"):
        expand_inputs([])


def test_beside_others_an_empty_folder_is_one_failed_input(folder):
    (folder / "empty").mkdir()
    first, second = expand_inputs([folder / "empty", folder / "a.png"])
    assert first.value is None
    assert "no image in folder" in str(first.error)
    assert second.value == folder / "a.png"


def test_a_link_to_nothing_is_an_input_that_cannot_be_read(folder):
    (folder / "c.png").symlink_to(folder / "gone.png")
    for inputs in (folder, str(folder / "*.png")):
        assert "c.png" in {Path(source.name).name for source in expand_inputs(inputs)}
