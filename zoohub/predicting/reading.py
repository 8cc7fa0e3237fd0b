"""Inputs made ready and put into batches, in their order; what cannot be read stays among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from zoohub.core.ahead import made_ahead
from zoohub.errors import DataError
from zoohub.tasks.contract import Row


@dataclass(frozen=True)
class Ready:
    """The input at `place`: its rows, or why it cannot be read."""

    place: int
    rows: tuple[Row, ...] = ()
    error: str | None = None


def in_batches(
    count: int, read: Callable[[int], tuple[Row, ...]], size: int, threads: int = 0
) -> Iterator[list[Ready]]:
    """All inputs, in groups of at least `size` rows but for the last; those that cannot be read
    come along. `threads` read ahead, two groups at most, while the network runs; without, each is
    read when it is its turn."""
    if not threads:
        yield from _grouped(map(_one(read), range(count)), size)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="zoohub-read") as pool:
        yield from _grouped(made_ahead(pool, _one(read), range(count), 2 * size + threads), size)


def read_all(places: Iterable[int], read: Callable[[int], tuple[Row, ...]]) -> list[Ready]:
    """The inputs at these places, read one after the other."""
    return list(map(_one(read), places))


def rows_of(group: Sequence[Ready]) -> list[Row]:
    """The rows of all inputs that can be read."""
    return [row for one in group for row in one.rows]


def _one(read: Callable[[int], tuple[Row, ...]]) -> Callable[[int], Ready]:
    def ready(place: int) -> Ready:
        try:
            return Ready(place, read(place))
        except DataError as error:
            return Ready(place, error=str(error))

    return ready


def _grouped(ready: Iterator[Ready], size: int) -> Iterator[list[Ready]]:
    group: list[Ready] = []
    rows = 0
    for one in ready:
        group.append(one)
        rows += len(one.rows)
        if rows >= size:
            yield group
            group, rows = [], 0
    if group:
        yield group
