"""Ctrl-C at any moment: one line, status 130.

While a module is being imported (numpy and MindSpore take seconds), KeyboardInterrupt would leave
it half made, and those packages answer that with tracebacks and aborts. There the process ends at
once; nothing has begun yet. Elsewhere KeyboardInterrupt is raised, so that downloads and training
can leave in order; a second Ctrl-C does not wait for that.

While MindSpore compiles or runs a graph it takes Ctrl-C itself and sends the process a SIGTERM:
once it is loaded, that is taken for what it came from.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

STATUS = 130
LINE = "interrupted"
_came = False


def came() -> bool:
    """Whether Ctrl-C was pressed, whatever became of the KeyboardInterrupt on its way."""
    return _came


def install() -> None:
    """Handle Ctrl-C from now on; a command that ignores it (nohup) goes on doing so."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _handle)
        signal.signal(signal.SIGTERM, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    global _came
    if number == signal.SIGTERM and "mindspore" not in sys.modules:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if _came or _is_importing(frame):
        leave()
    _came = True
    raise KeyboardInterrupt


def leave() -> None:
    """End the process at once, with the line and the status of an interruption."""
    try:
        os.write(2, f"zoohub: {LINE}\n".encode())
    finally:
        os._exit(STATUS)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
