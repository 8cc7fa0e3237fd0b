"""Notes of what was mended on the way, from rooms that know of no command line.

They go through `logging`, as the logger `zoohub`; without any setup Python prints them to stderr.
The command line shows them itself, as its other talk.
"""

from __future__ import annotations

from collections.abc import Callable

listener: Callable[[str], None] | None = None


def note(text: str) -> None:
    """Say something that is no error."""
    if listener is not None:
        listener(text)
        return
    import logging  # most processes have nothing to say

    logging.getLogger("zoohub").warning("%s", text)
