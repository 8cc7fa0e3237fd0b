"""The three streams of the process, whatever whoever started it made of them."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class Nowhere(io.TextIOWrapper):
    """Stands for a stream that was closed before we began."""

    def __init__(self) -> None:
        # It lives as long as the process.
        super().__init__(open(os.devnull, "wb"), encoding="utf-8")  # noqa: PTH123, SIM115


def prepare() -> None:
    """Make stdout and stderr streams that can be written to, with any character.

    A file opened later must not get the number of a closed stream: everything that is printed
    would go into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)


def _usable(stream: object) -> io.TextIOWrapper:
    if not isinstance(stream, io.TextIOWrapper):
        return Nowhere() if stream is None else stream  # type: ignore[return-value]
    # In GBK or ASCII, what the encoding lacks is written out.
    stream.reconfigure(errors="backslashreplace")
    return stream


def abandon(stream: int) -> None:
    """Let what is still to be written to a stream go nowhere: Python would try again at the end."""
    with contextlib.suppress(OSError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream)
