"""Compiled forms in the store: found by what they were made of, kept like any published file.

The form itself is a blob, named by its own hash; `compiled/<key>.json` says which one a key means,
or why none could be made; its seal is a hash of the rest, as what a damaged one says would be
believed again and again. The key is a hash of all that decides what the form computes. What an
engine makes of a form for one machine is kept in the same way: it is a form in another format.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from zoohub.core.hashing import hash_file
from zoohub.core.notes import note
from zoohub.errors import StoreError
from zoohub.store.files import read_json, store_errors, unlink, write_json
from zoohub.store.layout import extension
from zoohub.store.policy import TransferPolicy
from zoohub.store.store import Store

if TYPE_CHECKING:
    from mmap import mmap

Buffer: TypeAlias = "bytes | mmap"  # what a file is written of

FORMAT = "onnx"
SOURCE = "compiled:"  # before the key, where a blob's record names the URL of others
_SEAL = "seal"


@dataclass(frozen=True, slots=True)
class CompiledRecord:
    """What `compiled/<key>.json` says.

    Attributes:
        name: what the form is of, for people.
        weights: SHA-256 of the weights' file.
        sha256: of the form; None where none could be made, and `refused` says why.
        said: what the form says of itself, as strings.
        format: of its file.
    """

    name: str
    weights: str
    sha256: str | None = None
    refused: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    format: str = FORMAT

    @property
    def title(self) -> str:
        """What the form's file is called in lists of files."""
        return f"{self.name} ({'compiled' if self.format == FORMAT else self.format})"


def compiled_key(facts: Mapping[str, object]) -> str:
    """The key of a form made of these (JSON-ready) facts."""
    text = json.dumps(facts, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()


def read_compiled(store: Store, key: str) -> CompiledRecord | None:
    """What is known of the form with that key; None where there is nothing, or it was damaged,
    which is said."""
    return _record(_path(store, key), say=note)


def _record(path: Path, say: Callable[[str], None] | None = None) -> CompiledRecord | None:
    content = read_json(path)
    if content is None:
        return None
    if content.pop(_SEAL, None) != _sealed(path.stem, content):
        if say is not None:
            say(f"{path} is damaged and made again (its seal does not fit)")
        return None
    try:
        return CompiledRecord(
            name=str(content["name"]),
            weights=str(content["weights"]),
            sha256=None if content["sha256"] is None else str(content["sha256"]),
            refused=None if content["refused"] is None else str(content["refused"]),
            said={str(k): str(v) for k, v in content["said"].items()},
            format=str(content["format"]),
        )
    except (KeyError, TypeError, AttributeError):
        return None


def form_path(store: Store, record: CompiledRecord) -> Path | None:
    """The form's file, whole and undamaged; None where it is not there. Damaged, it is put into
    quarantine."""
    if record.sha256 is None:
        return None
    try:
        path = _blob(store, record.sha256, record.format)
    except ValueError:
        return None
    if not path.exists() or not store.check(path):
        return None
    with contextlib.suppress(OSError):
        os.utime(path.with_name(path.name + ".json"))  # its time tells the last use
    return path


def publish_compiled(
    store: Store,
    key: str,
    record: CompiledRecord,
    make: Callable[[], tuple[Buffer, Mapping[str, str]]],
    notice: Callable[[str], None],
) -> CompiledRecord:
    """Have the form made once, whichever process does it, and published whole.

    `make` gives the form and what it says of itself; it is not called where another process has
    published the form meanwhile. `notice` is told when that one is waited for.

    Raises:
        StoreError, NoSpaceError: the store cannot be written to.
        What `make` raises.
    """
    from zoohub.store.claims import Pulse  # only where something is made

    store.prepare()
    folder = store.layout.compiled
    with store_errors("write to the store", folder):
        folder.mkdir(parents=True, exist_ok=True)

    def settled() -> CompiledRecord | None:
        known = read_compiled(store, key)
        return known if known and (known.refused or form_path(store, known)) else None

    policy = TransferPolicy()
    with (
        Pulse(policy) as pulse,
        store.claim(
            key,
            lambda: settled() is not None,
            policy=policy,
            pulse=pulse,
            notice=lambda _: notice(f"waiting for another process that compiles {record.name}"),
        ) as partial,
    ):
        if partial is None:
            known = settled()
            if known is None:  # removed in this very moment: the next call makes it again
                raise StoreError(f"{record.name}: the compiled form went as it came; try it again")
            return known
        try:
            form, said = make()
            with store_errors("write", partial.path):
                partial.file.truncate(0)
                view = memoryview(form)
                while view:
                    view = view[partial.file.write(view) :]
                inode = partial.finish()
                found = hash_file(partial.path)
            store.publish(
                partial,
                found,
                format=record.format,
                inode=inode,
                name=record.title,
                source=f"{SOURCE}{key}",
            )
            made = replace(record, sha256=found.sha256, refused=None, said=dict(said))
            _write(store, key, made)
            return made
        finally:
            partial.discard()  # half a form is of no use to anybody


def refuse_compiled(store: Store, key: str, record: CompiledRecord) -> None:
    """Remember that no form can be made, so that it is not tried again each time."""
    with contextlib.suppress(OSError):
        store.layout.compiled.mkdir(parents=True, exist_ok=True)
        _write(store, key, record)


def forget_compiled(store: Store, key: str) -> None:
    """Have the form with that key made again by whoever wants it next."""
    unlink(_path(store, key))


def hash_once(store: Store, path: Path, *, settled: float = 5.0) -> str:
    """SHA-256 of a user's own file, which is not read again while it is untouched: as the store
    trusts its own files. One that changed less than `settled` seconds ago, longer than any file
    system's clock ticks, may change again unseen, and is not trusted."""
    status = path.stat()
    seen = store.layout.compiled / f"{hashlib.sha256(os.fsencode(path)).hexdigest()}.seen"
    stamp = [status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns]
    known = read_json(seen)
    if known is not None and known.get("stamp") == stamp and isinstance(known.get("sha256"), str):
        return str(known["sha256"])
    found = hash_file(path).sha256
    if time.time() - max(status.st_mtime, status.st_ctime) > settled:
        with contextlib.suppress(OSError):
            seen.parent.mkdir(parents=True, exist_ok=True)
            write_json(seen, {"stamp": stamp, "sha256": found})
    return found


def forms_of(store: Store, weights: Collection[str]) -> set[str]:
    """The hashes of the forms made of files with these hashes."""
    return {r.sha256 for _, r in _records(store) if r and r.sha256 and r.weights in weights}


def sweep_compiled(store: Store) -> None:
    """Remove what is said of forms that are gone, and what was damaged."""
    for path, record in _records(store):
        gone = record and record.sha256 and not _blob(store, record.sha256, record.format).exists()
        if record is None or gone:
            unlink(path)


def _records(store: Store) -> Iterator[tuple[Path, CompiledRecord | None]]:
    """What is said of forms, None where it was damaged."""
    with contextlib.suppress(OSError):
        for path in sorted(store.layout.compiled.glob("*.json")):
            yield path, _record(path)


def _blob(store: Store, sha256: str, format: str) -> Path:
    return store.layout.blob(sha256, extension(format))


def _path(store: Store, key: str) -> Path:
    return store.layout.compiled / f"{key}.json"


def _write(store: Store, key: str, record: CompiledRecord) -> None:
    content = asdict(record)
    write_json(_path(store, key), {**content, _SEAL: _sealed(key, content)})


def _sealed(key: str, content: Mapping[str, object]) -> str:
    return compiled_key({"key": key, "record": content})
