"""How a transfer tells how far it is. Talk goes to stderr, and bars only to a terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from zoohub.core.escaping import shown

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress(Protocol):
    """One transfer's listener. Calls come from one thread at a time."""

    def start(self, name: str, total: int | None, already: int) -> None:
        """A transfer of `total` bytes (None: unknown) begins, `already` of them are here.

        It is called again when more becomes known of the same transfer.
        """
        ...

    def advance(self, count: int) -> None:
        """`count` more bytes came; a negative count takes bytes back."""
        ...

    def message(self, text: str) -> None:
        """Something the user should know: another source is tried, another process waited for."""
        ...

    def finish(self) -> None:
        """The transfer is over, well or not."""
        ...


class Silent:
    """Says nothing."""

    def start(self, name: str, total: int | None, already: int) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class Bar:
    """A tqdm bar on a terminal; messages as lines in any case."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar: tqdm[Any] | None = None

    def start(self, name: str, total: int | None, already: int) -> None:
        """Show the bar."""
        if self._bar is not None:
            self._bar.set_description(shown(name), refresh=False)
            self._bar.total, self._bar.n = total, already
            self._bar.refresh()
            return
        from tqdm import tqdm

        self._bar = tqdm(
            desc=shown(name),
            total=total,
            initial=already,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            leave=False,
            file=self._stream,
            disable=not self._stream.isatty(),
        )

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def message(self, text: str) -> None:
        """Print a line above the bar."""
        text = shown(text)
        if self._bar is not None and not self._bar.disable:
            self._bar.write(text, file=self._stream)
        else:
            with contextlib.suppress(OSError, ValueError):
                print(text, file=self._stream, flush=True)

    def finish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
