"""The threads that fetch one file from one source, and what each of them is to fetch."""

from __future__ import annotations

import threading
import time

from zoohub.store.partial import Partial, Span
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.decide import plan_connections, unit_size
from zoohub.transfer.keeper import Keeper
from zoohub.transfer.origin import Reply


class Team:
    """Who works on which span. All methods are called with the partial file's lock held.

    `split`: whether spans may still be divided; `size`: how many threads there are, the leader
    among them; `error`: what ends the whole, `failed`: whether the leader has given up.
    """

    def __init__(
        self, partial: Partial, keeper: Keeper, policy: TransferPolicy, limit: int, *, split: bool
    ) -> None:
        self._partial, self._policy, self._limit = partial, policy, limit
        self.keeper = keeper
        self.split = split
        self.size = 1
        self.helpers: list[threading.Thread] = []
        self.active: list[Span] = []
        self.replies: list[Reply] = []
        self.error: BaseException | None = None
        self.failed = False
        self._began = 0.0
        self._came = 0

    @property
    def over(self) -> bool:
        """Whether to stop before all is done."""
        return self.failed or self.error is not None

    def take(self) -> Span | None:
        """The next span nobody works on, cut to the size of one request; None if there is none."""
        for span in self._partial.spans:
            if span.complete or any(span is other for other in self.active):
                continue
            if span.end is not None and self.split:
                self._partial.carve(span, unit_size(self._left(), self.size, self._policy))
            self.active.append(span)
            return span
        return None

    def begin(self) -> None:
        """Bytes are about to come: measure how fast."""
        self._began = self._began or time.monotonic()

    def came(self, count: int) -> int:
        """Count bytes that were written; returns how many threads pay, if more than there are."""
        self.keeper.came(count)
        self._came += count
        now = time.monotonic()
        elapsed = now - self._began
        if not self.split or elapsed < self._policy.settle:
            return self.size
        rate = self._came / elapsed / self.size
        self._began, self._came = now, 0
        return plan_connections(rate, self._left(), self._limit, self._policy)

    def _left(self) -> int:
        return sum((span.end or span.done) - span.done for span in self._partial.spans)
