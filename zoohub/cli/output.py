"""Where a command's words go: data to stdout, talk to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TextIO

from zoohub.cli.streams import Nowhere
from zoohub.core.escaping import columns, shown
from zoohub.errors import ZoohubError


class OutputError(ZoohubError):
    """stdout is closed, or what it leads to is full."""


def terminal_columns(stream: TextIO) -> int:
    """`COLUMNS` where it says a number, else what the terminal has; 80 where there is none.

    `shutil` knows it too, and is as long to import as three of our modules.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and 0 < len(asked.lstrip("0")) < 6:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def one_line(text: str) -> str:
    """An error's lines in one. One that ends in no stop would run into the next: it gets a full
    stop before a sentence, a semicolon before anything else."""
    parts = [stripped for part in text.split("\n") if (stripped := part.strip())]
    for number, (part, after) in enumerate(pairwise(parts)):
        if not part.endswith((".", ":", ";", ",")):
            parts[number] = part + ("." if after[0].isupper() else ";")
    return " ".join(parts)


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
        return terminal_columns(self._out)

    def data(self, text: str) -> None:
        """A line of data."""
        self._write(shown(text) + "\n")

    def piece(self, text: str) -> None:
        """A part of a line of data, seen at once; "\n" alone ends the line."""
        self._write(text if text == "\n" else shown(text))
        self.flush()

    def text(self, text: str) -> None:
        """Lines of data that are our own words, such as a script."""
        for line in text.splitlines():
            self.data(line)

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Lines of cells, with tabs between them, for programs."""
        self._write("".join(["\t".join(map(shown, cells)) + "\n" for cells in rows]))

    def flush(self) -> None:
        """Have all of it written. Raises OutputError where that fails."""
        with _writing():
            self._out.flush()

    def _write(self, text: str) -> None:
        out = self._out
        if isinstance(out, Nowhere):
            raise OutputError("the output cannot be written: stdout is closed")
        with _writing():
            out.write(text)

    def talk(self, text: str) -> None:
        """Lines for the person at the terminal."""
        if not self.quiet:
            self._say("\n".join(map(shown, text.split("\n"))))

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody is there to be told
            self._err.write(text + "\n")

    def detail(self, text: str) -> None:
        """A line of talk that only `-v` shows."""
        if self.verbose:
            self.talk(text)

    def error(self, text: str) -> None:
        """An error's one line; shown even with `-q`."""
        self._say(f"zoohub: {shown(one_line(text))}")

    def json(self, rows: Iterable[object]) -> None:
        """A JSON array, written row by row, so that a long listing needs no memory."""
        separator = "["
        for row in rows:
            self._write(f"{separator}{json.dumps(row)}")
            separator = ",\n "
        self._write("[]\n" if separator == "[" else "]\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], *, name: int = 0) -> None:
        """Columns under a header. Where the terminal is too narrow, the others than the one of
        names (`name`) are cut, then left out; a name never is."""
        if not rows:
            return
        lines = [[shown(cell) for cell in row] for row in (header, *rows)]
        widths = [max(columns(row[i]) for row in lines) for i in range(len(header))]
        if self.width is not None:
            widths = fit_widths(widths, self.width, name)
        for number, row in enumerate(lines):
            cells = [pad(cut(c, w), w) for c, w in zip(row, widths, strict=True) if w]
            line = "  ".join(cells).rstrip()
            self._write(f"\x1b[1m{line}\x1b[0m\n" if self.colour and not number else f"{line}\n")


def fit_widths(widths: Sequence[int], room: int, name: int = 0, least: int = 8) -> list[int]:
    """Take columns from the widest column but `name` until all fit into `room`, two blanks between
    them; where all are `least` wide, leave out one after another from the right (width 0)."""
    fitted = list(widths)
    others = [i for i in range(len(fitted)) if i != name]

    def missing() -> int:
        shown_ = [width for width in fitted if width]
        return sum(shown_) + 2 * (len(shown_) - 1) - room

    while missing() > 0:
        wide = [i for i in others if fitted[i] > least]
        if wide:
            widest = max(wide, key=lambda i: fitted[i])
            fitted[widest] -= 1
            continue
        left = [i for i in others if fitted[i]]
        if not left:
            break
        fitted[left[-1]] = 0
    return fitted


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, an ellipsis for what is missing."""
    if columns(text) <= width:
        return text
    while columns(text) > width - 1:
        text = text[:-1]
    return text + "…"


def pad(text: str, width: int) -> str:
    """The text with blanks up to `width` columns."""
    return text + " " * (width - columns(text))


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Trouble with stdout, in one line; but for a reader that has gone, which is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"the output cannot be written: {reason}") from None


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
