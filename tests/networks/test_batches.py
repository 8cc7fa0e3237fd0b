"""Every classification network in batches, on larger pictures, and in half precision."""

from __future__ import annotations

from typing import Any

import mindspore as ms
import numpy as np
import pytest
from classifiers import Classifier, largest_difference, tried
from mindspore import Tensor
from weights_rule import flatten


def outputs(net: Any, picture: np.ndarray) -> list[np.ndarray]:
    return flatten(net(Tensor(picture)))


@pytest.mark.parametrize("classifier", tried(gate=False))
def test_a_picture_gives_the_same_alone_in_a_batch_and_in_half_precision(
    classifier: Classifier,
) -> None:
    net, pictures = classifier.filled(), classifier.picture(4)
    four = outputs(net, pictures)
    assert four[0].shape[0] == 4
    alone = outputs(net, pictures[1:2])
    assert largest_difference([rows[1:2] for rows in four], alone) <= classifier.limit
    half = ms.amp.auto_mixed_precision(classifier.filled(), "O2", ms.float16).set_train(False)
    assert 1e-6 < largest_difference(four, outputs(half, pictures)) <= classifier.half_limit


@pytest.mark.parametrize("classifier", tried(gate=False))
def test_pictures_of_another_size_are_taken_where_the_architecture_allows(
    classifier: Classifier,
) -> None:
    net, larger = classifier.filled(), classifier.picture(2, more=64)
    if not classifier.takes_any_size:
        with pytest.raises((ValueError, RuntimeError)):
            outputs(net, larger)
        return
    expected = [rows.shape for rows in outputs(net, classifier.picture(2))]
    found = outputs(net, larger)
    assert [rows.shape for rows in found] == expected
    assert all(np.isfinite(rows).all() for rows in found)
