"""Accuracy, confusion and loss, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.outputs import ClassScores
from zoohub.tasks.classes import match_classes
from zoohub.tasks.classification.metric import Classification

LOGITS = np.array([[2, 1, 0], [0, 2, 1], [0, 1, 2], [2, 0, 1]], np.float32)
RESULT = Classification(("a", "b", "c"))
RESULT.add(ClassScores(LOGITS[:3]), [], [0, 1, 1])
RESULT.add(ClassScores(LOGITS[3:]), [], [1])


def test_top_k_counts_labels_among_the_k_largest() -> None:
    assert [RESULT.top(k) for k in (1, 2, 3)] == [0.5, 0.75, 1.0]


def test_confusion_has_labels_in_rows() -> None:
    assert RESULT.confusion.tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 0]]


def test_loss_is_the_mean_cross_entropy() -> None:
    expected = np.log(1 + np.exp(-1) + np.exp(-2))
    assert RESULT.losses == pytest.approx(expected + np.array([0, 0, 1, 2]))


def test_a_class_without_pictures_has_no_accuracy() -> None:
    figures = RESULT.figures()
    assert figures["per_class"] == {"a": 1.0, "b": pytest.approx(1 / 3), "c": None}
    assert "top5" not in figures
    with pytest.raises(DataError, match="none of the pictures"):
        Classification(("a", "b")).figures()


def test_classes_are_matched_by_name_whatever_their_order_and_case() -> None:
    known = ("tabby cat", "golden retriever", "cow")
    assert match_classes(["Golden_Retriever", "tabby-cat"], known, 3).tolist() == [1, 0]
    with pytest.raises(DataError, match="the network does not know: horse"):
        match_classes(["cow", "horse"], known, 3)


def test_names_that_differ_only_in_signs_are_kept_apart() -> None:
    known = ("ice cream", "ice_cream", "Cow")
    assert match_classes(["cow", "ice cream", "ice_cream"], known, 3).tolist() == [2, 0, 1]
    with pytest.raises(DataError, match="the network does not know: ice-cream"):
        match_classes(["ice-cream"], known, 3)


def test_imagenets_folders_are_in_its_order() -> None:
    known = tuple(f"name {i}" for i in range(3))
    assert match_classes(["n01440764", "n01443537", "n01484850"], known, 3).tolist() == [0, 1, 2]


def test_outputs_without_names_take_as_many_classes_in_order() -> None:
    assert match_classes(["a", "b"], None, 2).tolist() == [0, 1]
    with pytest.raises(DataError, match="3 classes, the network 2 outputs"):
        match_classes(["a", "b", "c"], None, 2)
