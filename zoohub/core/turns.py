"""MindSpore, used by one thread at a time, and not at all in a copy of a process that used it.

Its PyNative executor is not made for threads: without a lock two of them get wrong results or
wait for ever. Its threads do not exist in a forked child, which would wait for ever too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoohub.errors import ZoohubError

_turn = threading.RLock()
_ran_in: int | None = None  # the process whose MindSpore has run


@contextmanager
def mindspore_turn(*, runs: bool = True) -> Iterator[None]:
    """Have MindSpore to oneself while the block lasts; other threads wait.

    `runs` says that operators run in the block, after which MindSpore is of no use in children
    that fork.

    Raises:
        ZoohubError: MindSpore ran in the process that this one was forked from.
    """
    global _ran_in
    here = os.getpid()
    if _ran_in not in (None, here):
        raise ZoohubError(
            f"MindSpore ran in process {_ran_in} before this one was forked from it, and would "
            "hang here; start worker processes with multiprocessing.get_context('spawn'), or fork "
            "before the first prediction"
        )
    with _turn:
        if runs:
            _ran_in = here
        yield


def _anew() -> None:
    """A child forked while another thread had its turn would wait for a thread it lacks."""
    global _turn
    _turn = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_anew)
