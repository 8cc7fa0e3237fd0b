"""Ctrl-C at any moment: one line, status 130.

While a module is being imported (numpy and MindSpore take seconds), KeyboardInterrupt would leave
it half made, and those packages answer that with tracebacks and aborts; while MindSpore compiles,
it would print its own stack and leave a folder `rank_0` behind. There the process ends at once;
nothing has begun yet. Elsewhere KeyboardInterrupt is raised, so that downloads and training can
leave in order; a second Ctrl-C does not wait for that.

While MindSpore compiles or runs a graph it takes Ctrl-C itself and sends the process a SIGTERM:
once it is loaded, that is taken for what it came from.

The status is 130 whatever became of the KeyboardInterrupt on its way: one that is raised in a
callback of SQLite's or in a destructor is lost, and one in the interpreter's own shutdown would be
printed and end in status 0. So `end` ends the process before that shutdown begins.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys

TYPE_CHECKING = False  # until this is imported Ctrl-C is Python's, with a traceback: nothing slow
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

STATUS = 130
LINE = "interrupted"
_COMPILERS = ("mindspore/graph/api.py", "mindspore/common/api.py")  # the newer's, the older's
_came = False
_ending = False


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
    if _came or _ending or _would_break(frame):
        leave()
    _came = True
    raise KeyboardInterrupt


def answered() -> None:
    """Ctrl-C was what the command waited for: it ends as if there had been none."""
    global _came
    _came = False


def end(code: int) -> NoReturn:
    """End the process with that status; with an interruption's where Ctrl-C was pressed."""
    global _ending
    _ending = True
    if _came and code != STATUS:
        leave()
    import contextlib  # takes as long as all that stands above

    # MindSpore's threads can hang or crash the interpreter's own shutdown; nothing is left to do.
    if "mindspore" not in sys.modules:
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # What the command itself wrote is written, or was said not to be.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def leave() -> NoReturn:
    """End the process at once, with the line and the status of an interruption."""
    try:
        os.write(2, f"zoohub: {LINE}\n".encode())
    finally:
        os._exit(STATUS)


def _would_break(frame: FrameType | None) -> bool:
    """Whether a module is being imported, or MindSpore compiles."""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib"):
            return True
        if code.co_name == "compile" and code.co_filename.replace("\\", "/").endswith(_COMPILERS):
            return True
        frame = frame.f_back
    return False
