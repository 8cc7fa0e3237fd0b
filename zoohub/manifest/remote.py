"""Indexes that live at a URL: fetched when told to, kept beside the cache, trusted a little.

An index from a URL may name only https sources or files of its own origin. A new version replaces
the old one only if it is whole, allowed, signed where keys are trusted, not older, not expired, and
declares no other hash for a known file; also not for one that an earlier version named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from zoohub.core.atomic import fresh_name, open_new, remove_leftovers, sync, sync_folder
from zoohub.core.counting import counted
from zoohub.core.hashing import hash_file
from zoohub.core.urls import could_be_this_machine, is_this_machine, origin_of, problem_of
from zoohub.errors import DownloadError, ManifestError, OfflineError
from zoohub.manifest.changes import (
    ChangedHash,
    changed_hashes,
    changed_since_gone,
    hashes_that_go,
)
from zoohub.manifest.compiled import CheckpointRow, ModelRow
from zoohub.manifest.interchange import Header, read_header, read_interchange
from zoohub.manifest.memory import Memory
from zoohub.manifest.opening import built_in, open_compiled
from zoohub.manifest.places import COMPILED, fetched_file, folder_of
from zoohub.manifest.web import check_url, fetch_small
from zoohub.settings import Settings

MAX_BYTES = 1024**3


@dataclass(frozen=True)
class Update:
    """What `update_index` did. `updated` is False where the server said nothing has changed.
    `serials` are those of the old and the new index; the old one is None at first."""

    url: str
    updated: bool
    file: Path
    models: int
    serials: tuple[int | None, int]
    changed: tuple[ChangedHash, ...] = ()


def update_index(url: str, settings: Settings, *, accept_changed: bool = False) -> Update:
    """Fetch the index at `url` if it is newer than what is there.

    The old version stays unless the new one passes every check. `accept_changed` lets a known
    file have another hash.

    Raises:
        OfflineError, AccessDenied, DownloadError: it cannot be had.
        ManifestError: it is broken, hostile, older, or changes the hash of a known file.
    """
    check_url(url, settings)
    if settings.offline:
        raise OfflineError(f"{url}: the network is switched off (ZOOHUB_OFFLINE)")
    folder = folder_of(url, settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ManifestError(f"{folder} cannot be made: {error.strerror}") from None
    remove_leftovers(folder, own=True)
    current, memory = folder / COMPILED, Memory(folder)
    part = fresh_name(current)
    try:
        with _written(folder), open_new(part) as file:
            answer = fetch_small(
                url, file, settings, limit=MAX_BYTES, etag=_known_etag(current, memory, settings)
            )
        if not answer.changed:
            header = read_header(current)
            header.check_expiry(url)  # "nothing has changed" can be said for ever
            count = open_compiled(current, settings).count()
            return Update(url, False, current, count, (header.serial, header.serial))
        signer = _check_signature(url, part, settings)
        new = _Candidate(url, part, settings, memory)
        update = new.examine(current, accept_changed=accept_changed)
        with _written(folder):
            new.remember_hashes(current, update.changed)
            sync(part)
            part.replace(current)
            sync_folder(folder)
            memory.remember(url, answer.etag, signer)
        return update
    finally:
        part.unlink(missing_ok=True)


def _known_etag(current: Path, memory: Memory, settings: Settings) -> str | None:
    """The ETag of what is here, where that may stay: it is sound, and signed if keys are trusted
    now. They may not have been when it was fetched."""
    if settings.trusted_keys and memory.signer not in settings.trusted_keys:
        return None
    try:
        read_header(current)
    except ManifestError:
        return None
    return memory.etag


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ManifestError(f"{folder} cannot be written: {error.strerror or error}") from None


@dataclass(frozen=True)
class _Candidate:
    """A fetched version that may replace the one that is here."""

    url: str
    file: Path
    settings: Settings
    memory: Memory

    def examine(self, current: Path, *, accept_changed: bool) -> Update:
        """Check its models, its sources, its serial, its hashes. Raises ManifestError."""
        header, models = read_interchange(self.file)
        old = self._check_serial(header, current)
        header.check_expiry(self.url)
        count = 0
        for model in models:
            check_sources(self.url, model)
            count += 1
        changed = tuple(dict.fromkeys(self._changed()))  # here and gone before: once
        if changed and not accept_changed:
            first = changed[0]
            raise ManifestError(
                f"{self.url}: {counted(len(changed), 'known file has', 'known files have')} "
                f"another hash now, first {first.reference} ({first.url}): {first.old} was known, "
                f"{first.new} is declared. Nothing was replaced; `zoohub index update "
                "--accept-changed` takes it if it is meant"
            )
        return Update(self.url, True, current, count, (old, header.serial), changed)

    def _check_serial(self, header: Header, current: Path) -> int | None:
        """The serial of what is here. Raises ManifestError where it is higher, or the same one
        stands for other bytes."""
        try:
            old = read_header(current).serial if current.is_file() else None
        except ManifestError:
            return None  # damaged: any sound version is better
        if old is not None and header.serial < old:
            raise ManifestError(
                f"{self.url}: its serial is {header.serial}, the index here has {old}; an older "
                "index replaces no newer one"
            )
        if old == header.serial and hash_file(current).sha256 != hash_file(self.file).sha256:
            raise ManifestError(
                f"{self.url}: it has serial {old} as the index here, and other bytes; each "
                "version of an index has a serial of its own. Nothing was replaced; ask its "
                f"keeper, or remove {current.parent} to begin anew"
            )
        return old

    def _changed(self) -> Iterator[ChangedHash]:
        known = [built_in(self.settings)]
        with contextlib.suppress(ManifestError):  # none fetched yet, or not readable any more
            known.append(open_compiled(fetched_file(self.url, self.settings), self.settings))
        for database in known:
            yield from islice(changed_hashes(database, self._models()), 1_000)
        yield from islice(changed_since_gone(self.memory.gone, self._models()), 1_000)

    def remember_hashes(self, current: Path, accepted: Iterable[ChangedHash]) -> None:
        """Note what leaves the index with this version."""
        going: dict[str, str] = {}
        with contextlib.suppress(ManifestError):
            old = open_compiled(current, self.settings) if current.is_file() else None
            if old is not None:
                going = hashes_that_go(old.documents(), self._models())
        self.memory.note_gone(going, [change.url for change in accepted])

    def _models(self) -> Iterator[ModelRow]:
        return read_interchange(self.file)[1]


def _check_signature(url: str, file: Path, settings: Settings) -> str | None:
    """With trusted keys, a signature beside the index must be there and fit, wherever it is from;
    the key that gave it.

    Raises:
        ManifestError: the signature is missing, of another key, or does not fit.
    """
    if not settings.trusted_keys:
        return None
    from zoohub.manifest.signing import MAX_SIGNATURE, SUFFIX, verify_digest

    signature: bytes | None = None
    part = fresh_name(file)
    try:
        with contextlib.suppress(DownloadError), open_new(part) as stream:
            fetch_small(url + SUFFIX, stream, settings, limit=MAX_SIGNATURE)
            stream.seek(0)
            signature = stream.read()
    finally:
        part.unlink(missing_ok=True)
    digest = hash_file(file).sha256
    signed = verify_digest(digest, signature, settings.trusted_keys, purpose="index", what=url)
    serial = read_header(file).serial
    if signed.serial != serial:
        raise ManifestError(f"{url}: serial {serial}, but its signature is for {signed.serial}")
    return signed.key


def check_sources(url: str, model: ModelRow) -> None:
    """Refuse a source that an index from `url` may not name.

    Raises:
        ManifestError: a source is neither https nor of the index's own origin, or is on this
            machine while the index is not.
    """
    own = origin_of(url)
    local = is_this_machine(own[1])
    for checkpoint in model.get("checkpoints", ()):
        for source in _urls(checkpoint):
            origin = None if problem_of(source) else origin_of(source)
            allowed = origin is not None and (origin[0] == "https" or origin == own)
            near = origin is not None and could_be_this_machine(origin[1])
            if not allowed or (near and not local):
                raise ManifestError(
                    f"{url}: {model['model']}@{checkpoint['id']} names {source[:200]}; an index "
                    "from the network may name only https sources elsewhere or its own origin"
                )


def _urls(checkpoint: CheckpointRow) -> Iterable[str]:
    yield from checkpoint["sources"]
    for record in checkpoint.get("records", ()):
        yield record["url"]
