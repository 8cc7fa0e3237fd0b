"""What a network keeps of the tokens it has read, so that it need not read them again.

N prompts that still go on, at most L tokens read at once, P tokens kept, V tokens known. The
network has two parts: `read` and `next`, as `zoohub.networks.layers.next_token` describes them.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.running import Runner
from zoohub.tasks.generation.sampling import Floats

Ids: TypeAlias = NDArray[np.int32]
GROWS_BY = 64  # tokens of room: a graph then meets few shapes


class Reader(Protocol):
    """What is asked for the logits of each row's next token, float32 (N, V)."""

    def begin(self, ids: Ids, lengths: Ids) -> Floats:
        """After the prompts (N, L), filled up after their ends; `lengths` (N,) are their own."""
        ...

    def go_on(self, kept: NDArray[np.intp], tokens: Ids) -> Floats:
        """After one more token each, (N,); of the rows of the last call those `kept` (N,)."""
        ...


class RememberingReader:
    """A `Reader` over a network's parts, which reads each token once.

    Keys and values stand one row's after the other's own, without gaps: (N, 2 · layers, H, P, D)
    with room for more, and `counts` (N,) says how many are a row's.
    """

    def __init__(self, read: Runner, following: Runner) -> None:
        self._read, self._next = read, following
        self._past: Floats = np.zeros((0, 0, 0, 0, 0), np.float32)
        self._counts: Ids = np.zeros(0, np.int32)

    def begin(self, ids: Ids, lengths: Ids) -> Floats:
        """See `Reader`."""
        found = self._read.run({"ids": ids, "lengths": lengths})
        rows, layers, heads, _, width = found["memory"].shape
        self._counts = np.zeros(rows, np.int32)
        self._past = np.zeros((rows, layers, heads, 0, width), np.float32)
        self._keep(found["memory"], lengths)
        return found["logits"]

    def go_on(self, kept: NDArray[np.intp], tokens: Ids) -> Floats:
        """See `Reader`."""
        if len(kept) != len(self._counts):
            self._past, self._counts = self._past[kept], self._counts[kept]
        once = np.ones(len(tokens), np.int32)
        found = self._next.run(
            {"ids": tokens[:, None], "lengths": once, "counts": self._counts, "past": self._past}
        )
        self._keep(found["memory"], once)
        return found["logits"]

    def _keep(self, memory: Floats, lengths: Ids) -> None:
        """Add the first `lengths` tokens of each row's memory."""
        counts = self._counts + lengths
        short = int(counts.max()) - self._past.shape[3]
        if short > 0:
            room = -(-short // GROWS_BY) * GROWS_BY
            self._past = np.pad(self._past, ((0, 0), (0, 0), (0, 0), (0, room), (0, 0)))
        for row, (start, end) in enumerate(zip(self._counts, counts, strict=True)):
            self._past[row, :, :, start:end] = memory[row, :, :, : end - start]
        self._counts = counts
