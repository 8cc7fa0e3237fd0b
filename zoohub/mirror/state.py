"""What a mirror holds at the moment: its manifest, its index, and what an interrupted sync left."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from filelock import Timeout

from zoohub.core.atomic import open_new
from zoohub.core.hashing import RunningHash
from zoohub.core.json_reader import parse_json
from zoohub.core.locks import let_go, lock_now
from zoohub.errors import ManifestError, MirrorError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.hashes import FileRecord, HashManifest, parse_hashes
from zoohub.mirror.selection import INDEX, MANIFEST, SIGNATURE, is_published, path_of
from zoohub.mirror.target import Target
from zoohub.store.owner import Owner, provably_dead, this_owner

JOURNAL = "journal.jsonl"
_PRESENT = ".present"


@dataclass(frozen=True)
class State:
    """A mirror as it was last published. `signed` says whether its manifest has a signature,
    `published` is the manifest's own text: what the next one may replace."""

    target: Target
    manifest: HashManifest = field(default_factory=HashManifest)
    signed: bool = False
    published: bytes | None = None

    @cached_property
    def documents(self) -> dict[str, ModelRow]:
        """The compiled models of its index by name, read when first asked for.

        Raises:
            MirrorError: the index is damaged.
        """
        return read_documents(self.target)

    @property
    def files(self) -> dict[str, FileRecord]:
        """The checkpoints' files, without what is published about them."""
        return {p: record for p, record in self.manifest.files.items() if not is_published(p)}


def read_state(target: Target) -> State:
    """The mirror's state; an empty one where there is no mirror yet.

    Raises:
        MirrorError: its manifest is damaged; says what to do.
    """
    data = target.read(MANIFEST)
    if data is None:
        return State(target)
    where = f"{target.name}/{MANIFEST}"
    try:
        manifest = parse_hashes(data, where)
    except ManifestError as error:
        raise MirrorError(
            f"{error}. Remove {where}, then sync again: files with a full hash are kept"
        ) from None
    signed = target.read(MANIFEST + SIGNATURE) is not None
    return State(target, manifest, signed, data)


def read_documents(target: Target) -> dict[str, ModelRow]:
    """The compiled models of the mirror's index. Raises MirrorError where it is damaged."""
    from zoohub.manifest.interchange import read_interchange

    data = target.read(INDEX)
    if data is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="zoohub-mirror-") as folder:
        file = Path(folder) / INDEX
        file.write_bytes(data)
        try:
            _, models = read_interchange(file)
            return {model["model"]: model for model in models}
        except ManifestError as error:
            text = str(error).replace(str(file), f"{target.name}/{INDEX}")
            raise MirrorError(f"{text}. Remove it, then sync again") from None


def entries_of(documents: Mapping[str, ModelRow], name: str) -> Iterator[Entry]:
    """The mirror's own models as entries, sorted by name."""
    from zoohub.manifest.codec import decode_entry

    for model in sorted(documents):
        yield decode_entry(documents[model], name)


def by_path(entries: Iterator[Entry]) -> dict[str, Checkpoint]:
    """Which checkpoint's file a path of the mirror is; the first by name where several share it."""
    found: dict[str, Checkpoint] = {}
    for entry in entries:
        for checkpoint in entry.checkpoints:
            path = path_of(checkpoint)
            if path is not None:
                found.setdefault(path, checkpoint)
    return found


def hash_stream(stream: BinaryIO) -> FileRecord:
    """The record of all that a stream gives."""
    running = RunningHash()
    while block := stream.read(1 << 20):
        running.update(memoryview(block))
    found = running.result()
    return FileRecord(found.sha256, found.size, found.marks)


class Journal:
    """Notes each file as soon as it is in place, so that an interrupted sync forgets none."""

    def __init__(self, work: Path) -> None:
        self._file = work / JOURNAL

    def read(self) -> dict[str, FileRecord]:
        """What an interrupted sync has put in place. A line cut short is left out."""
        found: dict[str, FileRecord] = {}
        with contextlib.suppress(OSError):
            for line in self._file.read_bytes().split(b"\n"):
                with contextlib.suppress(
                    ManifestError, ValueError, KeyError, TypeError, AttributeError
                ):
                    note: Any = parse_json(line, self._file.name)
                    marks = tuple(map(str, note.get("marks", ())))
                    record = FileRecord(str(note["sha256"]), int(note["size"]), marks)
                    found[str(note["path"])] = record
        return found

    def note(self, path: str, record: FileRecord) -> None:
        """Add a file; one write call, so that lines of several threads do not mix."""
        line = json.dumps({"path": path, **record.to_json()})
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def clear(self) -> None:
        """The manifest has it all now."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(work: Path, name: str) -> Iterator[None]:
    """Only one process at a time changes a mirror.

    Raises:
        MirrorError: another one does, or the work folder cannot be written.
    """
    file, presence = work / "lock", work / f"{this_owner()}{_PRESENT}"
    try:
        lock = lock_now(file)
        _remove_dead(work)
        open_new(presence).close()  # keeps the folder there, also where the lock lies
    except Timeout:
        raise MirrorError(f"another process is at work on the mirror {name}; wait for it") from None
    except OSError as error:
        raise MirrorError(f"cannot work in {work}: {error.strerror or error}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            presence.unlink()
        let_go(lock)
        with contextlib.suppress(OSError):
            work.rmdir()


def _remove_dead(work: Path) -> None:
    """Remove what shows the presence of processes that were killed."""
    me = this_owner()
    for path in work.glob(f"*{_PRESENT}"):
        owner = Owner.parse(path.name[: -len(_PRESENT)])
        if owner is not None and provably_dead(owner, me):
            path.unlink(missing_ok=True)
