"""The shipped digits are the held-out ones, and no recipe of the project trains on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.inputs.picture.digits import all_digits, heldout_digits
from zoohub.tasks.classification.digits import fold_of, read_digits
from zoohub.tasks.classification.recipe import ClassificationRecipe, DigitsData
from zoohub.training import read_recipe

ROOT = Path(__file__).resolve().parents[3]

pytest.importorskip("sklearn")


def test_the_shipped_sheet_is_every_fifth_digit() -> None:
    held, whole = heldout_digits(), all_digits()
    assert len(held) == 360
    assert (np.stack(held.images) == np.stack(whole.images)[::5]).all()
    assert (held.labels == whole.labels[::5]).all()
    assert list(held.names) == list(whole.names)[::5]


def test_the_shipped_picture_files_are_among_them_and_named_by_their_label() -> None:
    held = heldout_digits()
    paths = sorted((ROOT / "zoohub" / "_data" / "digits").glob("digit-*.png"))
    assert len(paths) == 12
    for path in paths:
        _, number, _, label = path.stem.split("-")
        place = int(number) // 5
        assert (np.asarray(Image.open(path)) == held.images[place]).all()
        assert held.labels[place] == int(label)
    assert {path.stem[-1] for path in paths} == set("0123456789")


def test_the_embedded_checkpoints_recipe_never_trains_or_validates_on_fold_0() -> None:
    recipe = read_recipe(ROOT / "recipes" / "lenet5-digits.yaml")
    assert isinstance(recipe, ClassificationRecipe)
    data = recipe.data
    assert isinstance(data, DigitsData)
    assert data.folds == "interleaved"
    assert not {0} & {*data.train, *data.validation}
    splits = read_digits(data)
    assert not set(splits.train.names) & set(heldout_digits().names)
    assert list(splits.test.names) == list(heldout_digits().names)


def test_blocks_are_contiguous_and_the_last_has_360() -> None:
    fold = fold_of(np.arange(1797), 1797, "blocks")
    assert np.bincount(fold).tolist() == [357, 360, 360, 360, 360]
    assert (np.diff(fold) >= 0).all()


def test_classes_are_renumbered_and_a_part_keeps_every_class() -> None:
    data = DigitsData("digits", classes=(5, 6, 7), part=0.1)
    splits = read_digits(data)
    assert splits.classes == ("5", "6", "7")
    counts = np.bincount(splits.train.targets)
    whole = np.bincount(read_digits(DigitsData("digits", classes=(5, 6, 7))).train.targets)
    assert counts.tolist() == [round(0.1 * n) for n in whole]
