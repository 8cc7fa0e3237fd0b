"""What a network keeps of the tokens it has read, so that it need not read them again.

N prompts that still go on, at most L tokens read at once, P tokens kept, V tokens known. The
network has two parts: `read` and `next`, as `zoohub.networks.layers.next_token` describes them, or
`encode` and `next`, as `zoohub.networks.t5.parts` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.running import Array, Runner
from zoohub.tasks.generation.sampling import Floats

Ids: TypeAlias = NDArray[np.int32]
GROWS_BY = 64  # tokens of room: a graph then meets few shapes


class LogitsReader(Protocol):
    """What is asked for the logits of each row's next token, float32 (N, V)."""

    def begin(self, ids: Ids, lengths: Ids) -> Floats:
        """After the prompts (N, L), filled up after their ends; `lengths` (N,) are their own."""
        ...

    def go_on(self, kept: NDArray[np.intp], tokens: Ids) -> Floats:
        """After one more token each, (N,); of the rows of the last call those `kept` (N,)."""
        ...


class Memory:
    """Keys and values that stand one row's after the other's own, without gaps: `past` (N, 2 ·
    layers, H, P, D) with room for more, of which `counts` (N,) are a row's."""

    def __init__(self, rows: int, layers: int, heads: int, width: int, room: int = 0) -> None:
        self.past: Floats = np.zeros((rows, layers, heads, room, width), np.float32)
        self.counts: Ids = np.zeros(rows, np.int32)

    def choose(self, kept: NDArray[np.intp]) -> None:
        """Go on with these rows."""
        if len(kept) != len(self.counts):
            self.past, self.counts = self.past[kept], self.counts[kept]

    def keep(self, new: Floats, lengths: Ids) -> None:
        """Add the first `lengths` tokens of each row of `new` (N, 2 · layers, H, L, D)."""
        counts = self.counts + lengths
        short = int(counts.max()) - self.past.shape[3]
        if short > 0:
            room = -(-short // GROWS_BY) * GROWS_BY
            self.past = np.pad(self.past, ((0, 0), (0, 0), (0, 0), (0, room), (0, 0)))
        for row, (start, end) in enumerate(zip(self.counts, counts, strict=True)):
            self.past[row, :, :, start:end] = new[row, :, :, : end - start]
        self.counts = counts


class RememberingReader:
    """A `LogitsReader` over the parts `read` and `next` of a network that goes on with its text,
    which reads each token once."""

    def __init__(self, read: Runner, following: Runner) -> None:
        self._read, self._next = read, following
        self._memory = Memory(0, 0, 0, 0)

    def begin(self, ids: Ids, lengths: Ids) -> Floats:
        """See `LogitsReader`."""
        found = self._read.run({"ids": ids, "lengths": lengths})
        rows, layers, heads, _, width = found["memory"].shape
        self._memory = Memory(rows, layers, heads, width)
        self._memory.keep(found["memory"], lengths)
        return found["logits"]

    def go_on(self, kept: NDArray[np.intp], tokens: Ids) -> Floats:
        """See `LogitsReader`."""
        self._memory.choose(kept)
        return _step(self._next, self._memory, tokens, {})


class AnsweringReader:
    """A `LogitsReader` over the parts `encode` and `next` of a network that reads one text and
    writes another, which begins with `start` and attends to the first."""

    def __init__(self, encode: Runner, following: Runner, start: int) -> None:
        self._encode, self._next, self._start = encode, following, start
        self._memory = Memory(0, 0, 0, 0)
        self._source: dict[str, Array] = {}

    def begin(self, ids: Ids, lengths: Ids) -> Floats:
        """See `LogitsReader`."""
        source = self._encode.run({"ids": ids, "lengths": lengths})["source"]
        rows, layers, heads, _, width = source.shape
        self._memory = Memory(rows, layers, heads, width, GROWS_BY)
        self._source = {"source": source, "source_lengths": lengths}
        tokens = np.full(rows, self._start, np.int32)
        return _step(self._next, self._memory, tokens, self._source)

    def go_on(self, kept: NDArray[np.intp], tokens: Ids) -> Floats:
        """See `LogitsReader`."""
        if len(kept) != len(self._memory.counts):
            self._source = {name: array[kept] for name, array in self._source.items()}
        self._memory.choose(kept)
        return _step(self._next, self._memory, tokens, self._source)


def _step(following: Runner, memory: Memory, tokens: Ids, also: Mapping[str, Array]) -> Floats:
    """The logits after one more token each, which is then remembered too."""
    once = np.ones(len(tokens), np.int32)
    row = {"ids": tokens[:, None], "lengths": once, "counts": memory.counts, "past": memory.past}
    found = following.run({**row, **also})
    memory.keep(found["memory"], once)
    return found["logits"]
