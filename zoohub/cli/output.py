"""Where a command's words go: data to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True)
class Output:
    """One command's output.

    `as_json` turns listings into a JSON array; `quiet` drops the talk; `verbose` adds detail to
    it. Progress bars are for terminals only.
    """

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    stdout: TextIO | None = None
    stderr: TextIO | None = None

    @property
    def _out(self) -> TextIO:
        return self.stdout or sys.stdout

    @property
    def _err(self) -> TextIO:
        return self.stderr or sys.stderr

    @property
    def colour(self) -> bool:
        """Whether to use colour: on a terminal, unless `NO_COLOR` or a dumb one."""
        dumb = os.environ.get("TERM") == "dumb"
        return self._out.isatty() and not os.environ.get("NO_COLOR") and not dumb

    @property
    def progress(self) -> bool:
        """Whether progress bars are shown."""
        return not self.quiet and self._err.isatty()

    @property
    def width(self) -> int | None:
        """Columns of the terminal, None where stdout is not one: then nothing is cut."""
        if not self._out.isatty():
            return None
        asked = os.environ.get("COLUMNS", "")
        if asked.isdigit() and int(asked) > 0:
            return int(asked)
        return os.get_terminal_size(self._out.fileno()).columns or 80

    def data(self, text: str) -> None:
        """A line of data."""
        self._out.write(text + "\n")

    def talk(self, text: str) -> None:
        """A line for the person at the terminal."""
        if not self.quiet:
            self._err.write(text + "\n")

    def detail(self, text: str) -> None:
        """A line of talk that only `-v` shows."""
        if self.verbose:
            self.talk(text)

    def error(self, text: str) -> None:
        """An error's one line; shown even with `-q`."""
        # A line that ends in no stop would run into the next.
        parts = [part.strip() for part in text.splitlines()]
        parts[:-1] = [p if p.endswith((".", ":", ";", ",")) else f"{p};" for p in parts[:-1] if p]
        line = " ".join(parts)
        self._err.write(f"zoohub: {line}\n")

    def json(self, rows: Iterable[Any]) -> None:
        """A JSON array, written row by row, so that a long listing needs no memory."""
        out = self._out
        separator = "["
        for row in rows:
            out.write(f"{separator}{json.dumps(row, ensure_ascii=False)}")
            separator = ",\n "
        out.write("[]\n" if separator == "[" else "]\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns under a header, the widest cut so that a row fits the terminal."""
        if not rows:
            return
        widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
        if self.width is not None:
            widths = fit_widths(widths, self.width - 2 * (len(widths) - 1))
        for number, row in enumerate((header, *rows)):
            cells = [cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)]
            line = "  ".join(cells).rstrip()
            self.data(f"\x1b[1m{line}\x1b[0m" if self.colour and number == 0 else line)


def fit_widths(widths: Sequence[int], room: int, least: int = 8) -> list[int]:
    """Take columns from the widest column until all fit into `room` (or are `least` wide)."""
    fitted = list(widths)
    while sum(fitted) > room:
        widest = max(range(len(fitted)), key=lambda i: fitted[i])
        if fitted[widest] <= least:
            break
        fitted[widest] -= 1
    return fitted


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, an ellipsis for what is missing."""
    return text if len(text) <= width else text[: width - 1] + "…"


def human_size(size: int | None) -> str:
    """Bytes as people read them: `97.6 MB` (powers of 1000), `-` for unknown."""
    if size is None:
        return "-"
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
