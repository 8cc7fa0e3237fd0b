"""Class names."""

import pytest

from zoohub.errors import DataError
from zoohub.models.class_names import class_names, coco_category_ids, known_labels


@pytest.mark.parametrize(
    ("name", "count", "some"),
    [
        ("imagenet-1k", 1000, {0: "tench", 207: "golden retriever", 999: "toilet tissue"}),
        ("coco-2017", 80, {0: "person", 15: "cat", 79: "toothbrush"}),
        ("digits", 10, {0: "0", 9: "9"}),
    ],
)
def test_names_are_in_the_order_of_the_outputs(name, count, some):
    names = class_names(name)
    assert len(names) == len(set(names)) == count
    assert {index: names[index] for index in some} == some
    assert all(label and label == label.strip() for label in names)


def test_classes_that_are_alike_are_counted():
    names = class_names("<go> chinese-french <unused*359> <space>")
    assert (names[0], names[1], names[-2], names[-1]) == ("<go>", "0", "<unused>", " ")
    assert names.count("<unused>") == 359
    characters = names[1:-360]
    assert len(characters) == len(set(characters)) == 9636
    assert characters[-2:] == ("Ÿ", "ÿ")


def test_unknown_names_list_the_known_ones():
    assert known_labels() == ("coco-2017", "digits", "imagenet-1k")
    with pytest.raises(DataError, match="coco-2017, digits, imagenet-1k"):
        class_names("../labels")


def test_coco_numbers_leave_gaps():
    ids = coco_category_ids()
    assert len(ids) == 80
    assert (ids[0], ids[11], ids[15], ids[79]) == (1, 13, 17, 90)
