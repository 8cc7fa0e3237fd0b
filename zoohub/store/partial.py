"""One unfinished file that this process owns, and the note of how far it has come.

The note (`.map`) lies beside the file. It tells which spans have been written, and up to where
they were fsynced. After a kill the written ends hold: what the system took from a process
survives it. After a crash of the machine (another boot) only the fsynced ends do.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zoohub.store.files import read_json, unlink, write_json
from zoohub.store.owner import UNKNOWN, Owner


@dataclass(slots=True, eq=False)
class Span:
    """Bytes `start` to `end` (exclusive; None: not known) of which those below `done` are here."""

    start: int
    end: int | None
    done: int
    synced: int

    @property
    def complete(self) -> bool:
        """Whether all its bytes are here."""
        return self.end is not None and self.done >= self.end


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an unfinished file's bytes come from: without a full hash only more of the same fit.

    `source` is the key of the URL, `validator` its strong ETag or Last-Modified, `total` its size.
    """

    source: str | None = None
    validator: str | None = None
    total: int | None = None


class Partial:
    """An owned, unfinished file. Threads may write to different spans at the same time.

    `lock` guards `spans` and `origin`; `known` says whether a note vouches for the bytes found.
    """

    def __init__(self, folder: Path, key: str, owner: Owner) -> None:
        self.folder, self.key, self.owner = folder, key, owner
        self.path = folder / f"{key}.{owner}.part"
        self.map_path = folder / f"{key}.{owner}.map"
        self.origin = Provenance()
        self.spans: list[Span] = [Span(0, None, 0, 0)]
        self.known = False
        self.lock = threading.RLock()
        self._noting = threading.Lock()
        self._file: BinaryIO | None = None
        self._inode = 0

    def open(self) -> None:
        """Open the file and read its note, if that is a note of this very file."""
        self._file = self.path.open("r+b", buffering=0)
        status = os.fstat(self._file.fileno())
        self._inode = status.st_ino
        self.spans = [Span(0, None, status.st_size, status.st_size)]
        note = read_json(self.map_path)
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if note and note["inode"] == status.st_ino:
                self._take(note, status.st_size)

    def _take(self, note: dict[str, object], size: int) -> None:
        same_boot = note["boot"] == self.owner.boot != UNKNOWN
        spans = []
        for start, end, done, synced in note["spans"]:  # type: ignore[attr-defined]
            reached = max(int(start), min(int(done if same_boot else synced), size))
            spans.append(Span(int(start), end, reached, reached))
        self.origin = Provenance(note["source"], note["validator"], note["total"])  # type: ignore[arg-type]
        self.spans = spans
        self.known = True

    @property
    def file(self) -> BinaryIO:
        """The open file."""
        if self._file is None:
            raise RuntimeError("the partial file is not open")
        return self._file

    @property
    def frontier(self) -> int:
        """Up to where the file has no gap."""
        reached = 0
        for span in self.spans:
            if span.start > reached:
                break
            reached = max(reached, span.done)
            if not span.complete:
                break
        return reached

    @property
    def have(self) -> int:
        """How many bytes are here."""
        return sum(span.done - span.start for span in self.spans)

    @property
    def complete(self) -> bool:
        """Whether every byte is here."""
        return all(span.complete for span in self.spans)

    def restart(self, origin: Provenance, span: Span | None = None) -> None:
        """Forget all bytes and begin again from `origin`, with `span` for the whole file."""
        with self._noting, self.lock:
            # The note goes first: it must never vouch for bytes of an earlier life.
            unlink(self.map_path)
            self.file.truncate(0)
            span = span or Span(0, None, 0, 0)
            span.start, span.end, span.done, span.synced = 0, None, 0, 0
            self.spans = [span]
            self.origin, self.known = origin, True

    def carve(self, span: Span, size: int) -> None:
        """Shorten a span to its next `size` bytes; what is cut off becomes a span of its own."""
        at = span.done + size
        if span.end is None or at >= span.end:
            return
        rest = Span(at, span.end, at, at)
        span.end = at
        self.spans.insert(self.spans.index(span) + 1, rest)

    def write(self, span: Span, data: bytes | memoryview) -> None:
        """Append bytes to a span."""
        view = memoryview(data)
        while view:
            if hasattr(os, "pwrite"):
                count = os.pwrite(self.file.fileno(), view, span.done)
            else:
                with self.lock:
                    self.file.seek(span.done)
                    count = self.file.write(view)
            span.done += count
            view = view[count:]

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Read what was written at an offset; returns how many bytes."""
        if hasattr(os, "preadv"):
            return os.preadv(self.file.fileno(), [buffer], offset)
        with self.lock:
            self.file.seek(offset)
            return self.file.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def note(self) -> None:
        """Write down how far it has come. Bytes may be written meanwhile."""
        with self._noting:
            with self.lock:
                self.spans = _merged(self.spans)
                spans = [[span.start, span.end, span.done, span.synced] for span in self.spans]
                origin = self.origin
            content = {
                "inode": self._inode,
                "boot": self.owner.boot,
                "source": origin.source,
                "validator": origin.validator,
                "total": origin.total,
                "spans": spans,
            }
            write_json(self.map_path, content)

    def sync(self) -> None:
        """Make the bytes durable, then the note that says so."""
        with self.lock:
            reached = [(span, span.done) for span in self.spans]
        os.fsync(self.file.fileno())
        with self.lock:
            for span, done in reached:
                span.synced = done
        self.note()
        with self.map_path.open("rb") as note:
            os.fsync(note.fileno())

    def finish(self) -> int:
        """Make the bytes durable, close, and return the inode they are in."""
        os.fsync(self.file.fileno())
        for span in self.spans:
            span.synced = span.done
        self.close()
        return self._inode

    def close(self) -> None:
        """Close the file; the claim stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def release(self) -> None:
        """Leave the bytes for whoever comes next: owned becomes idle."""
        self.close()
        idle = self.folder / f"{self.key}.part"
        with contextlib.suppress(OSError):  # it is not there any more once it was published
            if self.path.stat().st_size == 0 or idle.exists():
                self.discard()
                return
            if self.have:
                with contextlib.suppress(OSError):
                    self.note()
            if self.map_path.exists():
                self.map_path.replace(self.folder / f"{self.key}.map")
            self.path.replace(idle)

    def discard_note(self) -> None:
        """Forget how far the file had come."""
        unlink(self.map_path)
        self.origin, self.known = Provenance(), False

    def discard(self) -> None:
        """Remove the file and its note."""
        self.close()
        unlink(self.path)
        unlink(self.map_path)


def _merged(spans: list[Span]) -> list[Span]:
    """The same spans, neighbours that are complete made one."""
    merged: list[Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if last is not None and last.complete and span.complete and last.end == span.start:
            synced = span.synced if last.synced >= span.start else last.synced
            merged[-1] = Span(last.start, span.end, span.done, synced)
        else:
            merged.append(span)
    return merged
