"""Pictures of several sizes in a batch are each seen at their own size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from zoohub.manifest.entry import InputContract
from zoohub.tasks.text_detection.rows import collate_pages, infer_pages, page_rows

Array = NDArray[np.float32]


class Halves:
    """A network that gives every second pixel, and says what it was given."""

    inputs = ("image",)

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        (images,) = inputs.values()
        self.seen.append(images.shape)
        return {"probability": images[:, :1, ::2, ::2], "places": images[:, :, ::4, ::4]}


def test_each_size_is_run_by_itself_and_the_order_stays() -> None:
    contract = InputContract(size=(64, 64), resize="at_most", interpolation="bilinear")
    prepare = page_rows(contract)
    pictures = [np.full((*size, 3), value, np.uint8)
                for value, size in ((51, (64, 64)), (102, (64, 32)), (153, (64, 64)),
                                    (204, (32, 64)))]  # fmt: skip
    rows = [row for picture in pictures for row in prepare(picture)]
    batch = collate_pages(rows)
    assert batch["image"].shape == (4, 3, 64, 64)
    network = Halves()
    found = infer_pages(network, batch, rows)
    assert sorted(network.seen) == [(1, 3, 32, 64), (1, 3, 64, 32), (2, 3, 64, 64)]
    assert found["probability"].shape == (4, 1, 32, 32)
    assert found["places"].shape == (4, 3, 16, 16)
    assert np.allclose(found["probability"][:, 0, 0, 0], [0.2, 0.4, 0.6, 0.8])
    assert found["probability"][1, 0, :, 16:].max() == 0  # what it was not given
    assert found["probability"][3, 0, 16:].max() == 0


def test_large_pictures_are_run_few_at_a_time() -> None:
    contract = InputContract(size=(1152, 2048), resize="pad", interpolation="bilinear")
    prepare = page_rows(contract)
    rows = [row for _ in range(3) for row in prepare(np.zeros((9, 16, 3), np.uint8))]
    network = Halves()
    found = infer_pages(network, collate_pages(rows), rows)
    assert network.seen == [(1, 3, 1152, 2048)] * 3
    assert len(found["probability"]) == 3
