"""Tables are read a token at a time, each picture up to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoohub.manifest.entry import InputContract
from zoohub.tasks.finding import find_task
from zoohub.tasks.table_recognition.reading import read_tables

CLASSES = 7  # three tokens, the unknown one, the start (4), the end (5), padding (6)
START, END, PADDING = 4, 5, 6


class See:
    """Sees nothing but which picture it is: its number, at the first pixel."""

    inputs = ("image",)

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        images = inputs["image"]
        tokens = np.full((len(images), self.steps), PADDING, np.int32)
        tokens[:, 0] = START
        return {"seen": np.broadcast_to(images[:, :1, None, :1, :1], (len(images), 2, 3, 1, 4)),
                "tokens": tokens}  # fmt: skip


class Scripted:
    """Gives each picture the tokens of its script, and checks that it is reminded of all before."""

    inputs = ("ids", "counts", "past", "seen")

    def __init__(self, scripts: Sequence[Sequence[int]]) -> None:
        self.scripts = scripts
        self.asked: list[int] = []
        self.rooms: set[int] = set()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        ids, counts, past, seen = (inputs[name] for name in self.inputs)
        self.asked.append(len(ids))
        self.rooms.add(past.shape[3])
        probabilities = np.full((len(ids), CLASSES), 0.1, np.float32)
        box = np.zeros((len(ids), 4), np.float32)
        for row, picture in enumerate(seen[:, 0, 0, 0, 0].astype(int)):
            before = [START, *self.scripts[picture]][: counts[row] + 1]
            assert past[row, 0, 0, : counts[row], 0].tolist() == before[:-1]
            assert ids[row] == before[-1:]
            assert past.shape[3] > counts[row]
            probabilities[row, self.scripts[picture][counts[row]]] = 0.4
            box[row] = counts[row]
        memory = np.broadcast_to(ids[:, :, None, None, None], (len(ids), 2, 3, 1, 4))
        return {"probabilities": probabilities, "box": box, "memory": memory.astype(np.float32)}


def read(scripts: Sequence[Sequence[int]], steps: int) -> tuple[dict[str, Any], Scripted]:
    images = np.zeros((len(scripts), 3, 2, 2), np.float32)
    images[:] = np.arange(len(scripts))[:, None, None, None]
    following = Scripted(scripts)
    return read_tables(See(steps), following, images), following


def test_each_picture_is_read_up_to_its_end_and_no_further() -> None:
    found, following = read([[0, 1, END], [2, END], [1, 1, 2, 0, END]], steps=20)
    assert following.asked == [3, 3, 2, 1, 1]
    assert found["tokens"].shape == (3, 5, CLASSES)
    assert found["tokens"].argmax(-1).tolist() == [
        [0, 1, END, 0, 0], [2, END, 0, 0, 0], [1, 1, 2, 0, END]
    ]  # fmt: skip
    assert found["tokens"][1, 2:].max() == 0
    assert found["boxes"][:, :, 0].tolist() == [[0, 1, 2, 0, 0], [0, 1, 0, 0, 0], [0, 1, 2, 3, 4]]


def test_an_end_before_anything_else_is_none() -> None:
    found, _ = read([[END, 0, END, 1]], steps=20)
    assert found["tokens"].argmax(-1).tolist() == [[END, 0, END]]


def test_a_table_without_an_end_is_read_as_far_as_the_network_goes() -> None:
    found, following = read([[1] * 150], steps=150)
    assert found["tokens"].shape[1] == len(following.asked) == 150
    assert len(following.rooms) == 3  # a graph is compiled for few shapes


class Whole:
    """A network in one piece."""

    inputs = ("x",)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {"tokens": inputs["x"], "boxes": inputs["x"][..., :4]}


def test_a_network_in_one_piece_is_asked_once_whatever_its_input_is_called() -> None:
    images = np.ones((1, 3, 8), np.float32)
    found = find_task("table-recognition").infer({"": Whole()}, {"image": images}, InputContract())
    assert found["tokens"] is images
