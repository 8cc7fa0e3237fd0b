"""ImageNet's validation pictures, flat in a folder, with the files that label them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.errors import DataError
from zoohub.predicting.measuring import evaluate
from zoohub.tasks.classification.imagenet import ImageNetReader
from zoohub.tasks.classification.task import TASK
from zoohub.tasks.finding import find_reader

CAFFE = "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n"
SYNSETS = "ILSVRC2012_val_00000001 n01751748\r\nILSVRC2012_val_00000002 n09193705\r\n"
KAGGLE = (
    "ImageId,PredictionString\nILSVRC2012_val_00000002,n09193705 85 1 499 272\n"
    "ILSVRC2012_val_00000001,n01751748 1 2 3 4 n01751748 5 6 7 8\n"
)
FILES = (("val.txt", CAFFE), ("val.txt", SYNSETS), ("LOC_val_solution.csv", KAGGLE))


def pictures(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        pixels = np.full((40, 40, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"ILSVRC2012_val_{number:08d}.JPEG")
    return folder


@pytest.mark.parametrize(("name", "text"), FILES)
@pytest.mark.parametrize("beside", [False, True])
def test_pictures_and_labels_find_each_other(
    tmp_path: Path, name: str, text: str, beside: bool
) -> None:
    folder = pictures(tmp_path / "val")
    labels = (tmp_path if beside else folder) / name
    labels.write_text(text)
    for source in (folder, labels):
        reader = find_reader(TASK, source, "resnet50")
        assert isinstance(reader, ImageNetReader)
        splits = reader.read(reader.describe(source), measuring=True)
        assert splits.classes == ("n01751748", "n09193705")
        assert splits.train.names == [f"ILSVRC2012_val_0000000{i}.JPEG" for i in (1, 2)]
        assert splits.train.targets == [0, 1]
        assert not splits.warnings


def test_what_is_in_one_of_the_two_only_is_counted(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "val", 2)
    (folder / "val.txt").write_text(
        "ILSVRC2012_val_00000001.JPEG 0\nILSVRC2012_val_00000009.JPEG 1\n"
    )
    splits = ImageNetReader().read(ImageNetReader().describe(folder), measuring=True)
    assert splits.warnings == (
        f"1 picture that val.txt names is not in {folder}",
        f"1 picture in {folder} is not in val.txt: left out",
    )


@pytest.mark.parametrize("line", ["a.JPEG", "a.JPEG 1000", "a.JPEG cat", "a.JPEG -1", "a.JPEG ²"])
def test_a_line_that_says_no_class_is_named(tmp_path: Path, line: str) -> None:
    folder = pictures(tmp_path / "val")
    (folder / "val.txt").write_text(f"ILSVRC2012_val_00000001.JPEG 0\n{line}\n")
    with pytest.raises(DataError, match=r"val\.txt:2: expected a picture's name and its class"):
        ImageNetReader().read(ImageNetReader().describe(folder), measuring=True)


def test_the_development_kits_own_order_is_refused_in_a_line(tmp_path: Path) -> None:
    file = pictures(tmp_path) / "ILSVRC2012_validation_ground_truth.txt"
    file.write_text("490\n361\n")
    assert ImageNetReader().claims(file)
    with pytest.raises(DataError, match=r"an order of its own; take Caffe's val\.txt"):
        ImageNetReader().read(ImageNetReader().describe(file), measuring=True)


def test_a_folder_a_class_is_no_flat_folder_whatever_lies_beside_it(tmp_path: Path) -> None:
    pictures(tmp_path / "val" / "n01440764")
    (tmp_path / "val.txt").write_text(CAFFE)
    assert not ImageNetReader().claims(tmp_path / "val")


@pytest.mark.slow
def test_a_network_of_imagenet_is_measured_on_both_layouts_alike(tmp_path: Path) -> None:
    """Fresh weights: what is compared is which picture is of which class."""
    net = zoohub.load("mobilenet_v2_100")
    flat = pictures(tmp_path / "val")
    (tmp_path / "val.txt").write_text(CAFFE)
    for number, synset in enumerate(("n01751748", "n09193705"), 1):
        name = f"ILSVRC2012_val_{number:08d}.JPEG"
        (tmp_path / "sorted" / synset).mkdir(parents=True)
        (tmp_path / "sorted" / synset / name).write_bytes((flat / name).read_bytes())
    one, other = evaluate(net, flat), evaluate(net, tmp_path / "sorted")
    assert one["count"] == other["count"] == 2
    assert one["loss"] == pytest.approx(other["loss"])
    rows = np.array(one["confusion"]).sum(1)
    assert np.flatnonzero(rows).tolist() == [65, 970]
