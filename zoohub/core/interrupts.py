"""Ctrl-C while MindSpore runs a graph."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, and SIGTERM, be a KeyboardInterrupt.

    While a graph runs, MindSpore takes Ctrl-C and sends this process a SIGTERM, which would end
    it, or the notebook it runs in, without a word. Who handles SIGTERM already keeps doing so; so
    does any thread but the main one, where Python handles no signal.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
