"""What the workers of one run tell each other besides gradients: that they train the same thing,
the state that a resumed run starts from, and figures over all their shares.

Machines need not share a file system: only the first worker reads and writes the run's folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import cast

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops
from numpy.typing import NDArray

from zoohub._version import __version__
from zoohub.core.binding import plain
from zoohub.errors import DataError, RecipeError
from zoohub.tasks.recipe import Recipe
from zoohub.training.options import Workers

CHUNK_WORDS = 1 << 24  # 64 MiB at a time


class _Among(nn.Cell):
    """An operator among all workers as a cell, which MindSpore runs in either mode."""

    def __init__(self, operator: ops.Primitive) -> None:
        super().__init__(auto_prefix=False)
        self.operator = operator

    def construct(self, values: Tensor) -> Tensor:
        return self.operator(values)


class _FromFirst(nn.Cell):
    """The first worker's int32 values, at all workers."""

    def __init__(self) -> None:
        super().__init__(auto_prefix=False)
        self.broadcast = ops.Broadcast(0)

    def construct(self, values: Tensor) -> Tensor:
        return self.broadcast((values,))[0]


class Means:
    """The means of figures over all workers, at each of them; compiled when it is first asked."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._summed = _Among(ops.AllReduce()) if workers > 1 else None

    def of(self, values: Sequence[float]) -> list[float]:
        """The mean of each value."""
        if self._summed is None:
            return [*values]
        summed = self._summed(Tensor(np.array(values, np.float32))).asnumpy()
        return [float(value) / self.workers for value in summed]


def check_same(recipe: Recipe, data: Iterable[bytes], count: int, workers: Workers) -> None:
    """See that all workers have the same settings, versions and pictures.

    On several machines each reads its own copy of the data, which may lie elsewhere.

    Args:
        recipe: of the run, as this worker has it.
        data: what identifies the pictures and their order, without where they are.
        count: pictures to train on.
        workers: which of them this is; alone, it has nobody to disagree with.

    Raises:
        RecipeError: the settings or the versions differ. DataError: the pictures do. Raised at all
            workers alike.
    """
    if workers.count == 1:
        return
    settings = cast("dict[str, dict[str, object]]", plain(recipe))
    settings["data"].pop("path", None)
    text = json.dumps([__version__, ms.__version__, settings], sort_keys=True)
    mine = np.concatenate([_digest([text.encode()]), _digest(data), np.array([count], np.int32)])
    rows = _gathered(mine, workers)
    for rank, row in enumerate(rows):
        if (row[:4] != rows[0, :4]).any():
            raise RecipeError(
                f"worker {rank} has other settings, or another zoohub or MindSpore, than the first "
                "one; give the same command and install the same versions on all machines"
            )
        if (row[4:] != rows[0, 4:]).any():
            raise DataError(
                f"worker {rank} has other data ({row[-1]} to train on) than the first one "
                f"({rows[0, -1]}); copy the same data to all machines"
            )


def from_first(content: bytes, workers: Workers) -> bytes:
    """The first worker's `content`, at all workers; what the others give is not looked at."""
    if workers.count == 1:
        return content
    broadcast = _FromFirst()

    def sent(values: NDArray[np.int32]) -> NDArray[np.int32]:
        received: NDArray[np.int32] = broadcast(Tensor(values)).asnumpy()
        return received

    # int32 is what MindSpore's CPU collectives carry exactly; they have no uint8.
    high, low = map(int, sent(np.array(divmod(len(content), 1 << 30), np.int32)))
    size = (high << 30) + low
    words = np.zeros(-(-size // 4), np.int32)
    if workers.rank == 0:
        words.view(np.uint8)[:size] = np.frombuffer(content, np.uint8)
    for start in range(0, len(words), CHUNK_WORDS):
        part = slice(start, start + CHUNK_WORDS)
        words[part] = sent(words[part])
    return words.tobytes()[:size]


def from_all(content: bytes, workers: Workers) -> list[bytes]:
    """Every worker's `content`, in the order of their ranks, at all of them."""
    if workers.count == 1:
        return [content]
    sizes = _gathered(np.array([len(content)], np.int32), workers)[:, 0]
    words = np.zeros(-(-int(sizes.max()) // 4) or 1, np.int32)
    words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
    rows = _gathered(words, workers)
    return [row.tobytes()[:size] for row, size in zip(rows, sizes, strict=True)]


def _gathered(values: NDArray[np.int32], workers: Workers) -> NDArray[np.int32]:
    """All workers' values, a row each."""
    rows: NDArray[np.int32] = (
        _Among(ops.AllGather())(Tensor(values)).asnumpy().reshape(workers.count, -1)
    )
    return rows


def _digest(parts: Iterable[bytes]) -> NDArray[np.int32]:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return np.frombuffer(digest.digest()[:16], np.int32)
