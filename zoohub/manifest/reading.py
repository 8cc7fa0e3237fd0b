"""A compiled index into the rows of its database: a large one by several processes at once.

Each is a Python of its own, started for this and ended with it. (`multiprocessing` would run the
user's own script again in each, which scripts without `if __name__ == "__main__"` do not survive.)
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from zoohub.core.ahead import made_ahead
from zoohub.core.notes import note
from zoohub.errors import ManifestError
from zoohub.manifest.database_build import without_collector
from zoohub.manifest.interchange import Header, checked_models, open_lines
from zoohub.manifest.rows import BATCH, BATCH_BYTES, Batches, Rows, rows_of

_ALONE = 2 << 20  # bytes of a file that one process reads in about a second
_MOST = 4  # more processes make rows faster than one can write them


@dataclass(frozen=True)
class _Batch:
    """Some lines of the file, the first of which has this number (from 1)."""

    path: Path
    number: int
    lines: list[bytes]

    def rows(self) -> Rows:
        """Check the lines' models and make their rows. Raises ManifestError."""
        models = checked_models(self.path, self.lines, self.number)
        return rows_of(models, self.number - 1)  # the header is no model


def read_rows(path: Path, processes: int | None = None) -> tuple[Header, Batches]:
    """The header, and the rows of the checked models, made as they are asked for.

    `processes` make them; by default as many as there are processors, at most four, and this one
    alone where the file is small.

    Raises:
        ManifestError: as `read_interchange`.
    """
    header, lines = open_lines(path)
    if processes is None:
        processes = min(_processors(), _MOST) if path.stat().st_size > _ALONE else 1
    batches = _batches(path, lines)
    made = (batch.rows() for batch in batches) if processes < 2 else _shared(batches, processes)
    return header, _in_order(path, made)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _batches(path: Path, lines: Iterable[bytes]) -> Iterator[_Batch]:
    number, size = 2, 0
    waiting: list[bytes] = []
    for line in lines:
        waiting.append(line)
        size += len(line)
        if len(waiting) >= BATCH or size >= BATCH_BYTES:
            yield _Batch(path, number, waiting)
            number, size, waiting = number + len(waiting), 0, []
    if waiting:
        yield _Batch(path, number, waiting)


def _in_order(path: Path, made: Batches) -> Batches:
    """Within a batch the models are known to be sorted; here one batch is held to the next."""
    last, number = "", 2
    with contextlib.closing(made):
        for rows in made:
            if rows.first <= last:
                raise ManifestError(
                    f"{path}:{number}: {rows.first!r} is not sorted, or there twice"
                )
            last, number = rows.last, number + rows.count
            yield rows


def _shared(batches: Iterable[_Batch], processes: int) -> Batches:
    """The rows of all batches in their order, made by that many processes."""
    idle: SimpleQueue[_Helper] = SimpleQueue()
    helpers = [_Helper() for _ in range(processes)]
    for helper in helpers:
        idle.put(helper)

    def make(batch: _Batch) -> Rows:
        helper = idle.get()
        try:
            return helper.rows(batch)
        finally:
            idle.put(helper)

    with ThreadPoolExecutor(processes, "zoohub-rows") as pool:
        try:
            yield from made_ahead(pool, make, batches, processes + 1)
        finally:
            for helper in helpers:
                helper.end()


_PROGRAM = "import sys; sys.path[:] = {}; from zoohub.manifest.reading import serve; serve()"


class _Helper:
    """A process that makes rows of the batches it is given, one after the other. There is none
    where Python is part of another program."""

    def __init__(self) -> None:
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None
        if not sys.executable or getattr(sys, "frozen", False):
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM.format(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what it cannot do is done here, with its error
                start_new_session=True,  # Ctrl-C is for this process, which ends it
            )

    def rows(self, batch: _Batch) -> Rows:
        """Its rows; where the process has ended, they are made here. Raises ManifestError."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return batch.rows()
        try:
            pickle.dump(batch, process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError, ValueError):
            if self._ended:
                raise
            self.end()
            note(
                f"a process that helped to read {batch.path} ended (status {process.returncode}); "
                "its part is read here, which takes longer"
            )
            self._process = None
            return batch.rows()
        if isinstance(answer, Rows):
            return answer
        raise ManifestError(str(answer))

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._ended = True
        process = self._process
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def serve() -> None:
    """What a helping process does: batches from stdin, to stdout their rows or what is wrong."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    with without_collector():
        while True:
            try:
                batch: _Batch = pickle.load(source)
            except EOFError:
                return
            answer: Rows | str
            try:
                answer = batch.rows()
            except ManifestError as error:
                answer = str(error)
            pickle.dump(answer, target, pickle.HIGHEST_PROTOCOL)
            target.flush()
