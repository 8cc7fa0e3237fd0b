"""Work done ahead of who takes it, in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def made_ahead(
    pool: ThreadPoolExecutor, make: Callable[[T], R], things: Iterable[T], window: int
) -> Iterator[R]:
    """What the pool makes of the things, in their order, never more than `window` of it unused;
    what is not begun when the iterator is closed is not made."""
    waiting: deque[Future[R]] = deque()
    try:
        for thing in things:
            waiting.append(pool.submit(make, thing))
            if len(waiting) > window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
