"""The cache on disk: finds verified files, publishes new ones, keeps wrong ones away.

Safe for many processes, also on several machines sharing a folder: what readers see appears by
one rename of a complete, verified, fsynced file. Needs no symlinks; read-only, it serves reads.

On NFS and other shared folders, promised is: no wrong or half a file under a right name, whatever
the locks there do (none is used), and no lost file that was published. Not promised is that a file
is transferred once: machines see each other's claims as late as the mount's attribute cache lets
them (a minute with NFS's defaults), and a dead owner on another machine is only overtaken after
`stale_after`. A file may be hashed again where machines see different inodes or times, the times of
last use are as right as the machines' clocks, and what a crash of the server leaves is up to it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.atomic import copy_whole, fresh_name, is_leftover, sync_folder
from zoohub.errors import StoreError
from zoohub.store import layout
from zoohub.store.files import read_json, store_errors, unlink, write_json
from zoohub.store.policy import TransferPolicy
from zoohub.store.records import (
    Ref,
    Verification,
    read_ref,
    read_verification,
    write_ref,
    write_verification,
)

if TYPE_CHECKING:
    from zoohub.core.hashing import FileHash
    from zoohub.manifest.entry import Checkpoint
    from zoohub.store.claims import Pulse
    from zoohub.store.partial import Partial


class Store:
    """The store below a folder. Making the object touches nothing."""

    def __init__(self, root: Path) -> None:
        self.layout = layout.Layout(Path(root))

    @property
    def root(self) -> Path:
        """The store's folder."""
        return self.layout.root

    def has(self, checkpoint: Checkpoint) -> bool:
        """Whether the checkpoint's file is here, by its name alone (for listings)."""
        sha256 = self.sha256_of(checkpoint)
        if sha256 is None:
            return False
        if self.layout.blob(sha256, layout.extension(checkpoint.format)).exists():
            return True
        return next(self._twins(sha256), None) is not None

    def find(self, checkpoint: Checkpoint, *, verify: bool = False) -> Path | None:
        """The checkpoint's verified file, or None.

        A file untouched since its last verification is trusted; any other is hashed again, and
        quarantined if it is wrong. `verify` hashes in any case.
        """
        sha256 = self.sha256_of(checkpoint)
        if sha256 is None:
            return None
        path = self.layout.blob(sha256, layout.extension(checkpoint.format))
        if not path.exists():
            twin = next(self._twins(sha256), None)
            if twin is None or not self.check(twin, verify=verify):
                return None
            return self._under_extension(twin, path)
        if not self.check(path, verify=verify):
            return None
        with contextlib.suppress(OSError):
            os.utime(layout.record_path(path))  # the record's mtime tells the last use
        return path

    def recorded(self, checkpoint: Checkpoint) -> Ref | None:
        """The hash recorded when one of the checkpoint's URLs was first downloaded.

        Only URLs without a declared full hash have one, and each only speaks for the checkpoints
        that name it: another index cannot slip its file under a name by sharing one source.
        """
        for url in checkpoint.sources:
            ref = read_ref(self.layout.ref(url))
            if ref is not None and ref.url == url and layout.is_sha256(ref.sha256):
                return ref
        return None

    def mirrored(self, checkpoint: Checkpoint) -> Ref | None:
        """What a mirror gave in place of the checkpoint's first source, where nothing is recorded.

        It serves to find the file here. The publisher's own file is never held to it.
        """
        for url in checkpoint.sources[:1]:
            ref = read_ref(self.layout.mirrored(url))
            if ref is not None and ref.url == url and layout.is_sha256(ref.sha256):
                return ref
        return None

    def sha256_of(self, checkpoint: Checkpoint) -> str | None:
        """The declared full hash, else the recorded one, else that of what a mirror gave; None
        where none is known.

        A recorded hash that contradicts a declared fragment does not count.
        """
        full = layout.full_sha256(checkpoint)
        if full is not None:
            return full
        ref = self.recorded(checkpoint) or self.mirrored(checkpoint)
        if ref is None:
            return None
        prefix = checkpoint.sha256_prefix if checkpoint.declared == "prefix" else None
        return ref.sha256 if ref.sha256.startswith((prefix or "").lower()) else None

    def check(self, path: Path, *, verify: bool = False) -> bool:
        """Whether a published file's bytes are the ones its name promises."""
        try:
            status = path.stat()
        except OSError:
            return False
        record = read_verification(path)
        if record is not None and not verify and record.fits(status):
            return True
        from zoohub.core.hashing import hash_file

        with store_errors("read", path):
            found = hash_file(path)
        expected = path.name[:64]
        if found.sha256 != expected:
            with contextlib.suppress(OSError):
                self.quarantine(
                    path,
                    f"{expected}.damaged",
                    source=record.source if record else None,
                    expected=expected,
                    got=found.sha256,
                    looks="damaged in the store",
                    right_size=record.size if record else None,
                    marks=record.marks if record else (),
                    names=record.names if record else (),
                )
                unlink(layout.record_path(path))
            return False
        with contextlib.suppress(OSError):
            self._record(path, found, names=record.names if record else (), source=None)
        return True

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            StoreError, NoSpaceError: they cannot be made or written to.
        """
        for folder in (self.layout.blobs, self.layout.refs, self.layout.partial):
            with store_errors("write to the store", folder):
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(13, "Permission denied", str(folder))

    def free(self) -> int:
        """Free bytes on the store's disk."""
        with store_errors("read the store", self.root):
            return shutil.disk_usage(self.layout.partial).free

    def publish(
        self,
        partial: Partial,
        found: FileHash,
        *,
        format: str,
        inode: int,
        name: str,
        source: str,
    ) -> Path:
        """Make a complete, closed, fsynced and verified file visible under its hash.

        Raises:
            StoreError: the file changed hands since it was hashed, or cannot be moved.
        """
        path = self.layout.blob(found.sha256, layout.extension(format))
        with store_errors("publish", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            status = partial.path.stat()
            if status.st_ino != inode or status.st_size != found.size:
                raise StoreError(
                    f"{partial.path} was replaced while it was being verified; nothing was "
                    "published. Another program writes into the store's folder: run it again."
                )
            if path.exists() and self.check(path):
                partial.discard()  # somebody else published the same bytes
            else:
                partial.path.chmod(0o444)
                unlink(layout.record_path(path))
                _replace(partial.path, path)
                sync_folder(path.parent)
                unlink(partial.map_path)
        with contextlib.suppress(OSError):
            self._record(path, found, names=(name,), source=source)
        return path

    def write_ref(self, ref: Ref) -> None:
        """Record a URL's hash: later downloads of it must have the same."""
        with store_errors("record the hash of a download in", self.layout.refs):
            write_ref(self.layout.ref(ref.url), ref)

    def write_mirrored(self, ref: Ref) -> None:
        """Note what a mirror gave in place of `ref.url`."""
        with store_errors("record the hash of a download in", self.layout.refs):
            write_ref(self.layout.mirrored(ref.url), ref)

    def quarantine(self, path: Path, name: str, **record: object) -> Path:
        """Move wrong bytes out of every reader's way, with a record of what they are.

        One file is kept under each name: the latest.
        """
        folder = self.layout.quarantine
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
        _replace(path, target)
        record = {"size": target.stat().st_size, "time": time.time(), **record}
        write_json(target.with_name(name + ".json"), record)
        return target

    def damaged(self, sha256: str) -> tuple[Path, int, tuple[str, ...]] | None:
        """A published file that was found damaged: path, right size, right marks."""
        path = self.layout.quarantine / f"{sha256}.damaged"
        record = read_json(path.with_name(path.name + ".json"))
        try:
            if record is None or not record["marks"] or not path.is_file():
                return None
            return path, int(record["right_size"]), tuple(map(str, record["marks"]))
        except (KeyError, TypeError, ValueError):
            return None

    def forget_damaged(self, sha256: str) -> None:
        """Remove a damaged file once it has been repaired."""
        path = self.layout.quarantine / f"{sha256}.damaged"
        unlink(path)
        unlink(path.with_name(path.name + ".json"))

    @contextlib.contextmanager
    def claim(
        self,
        key: str,
        published: Callable[[], bool],
        *,
        policy: TransferPolicy,
        pulse: Pulse,
        notice: Callable[[str], None],
    ) -> Iterator[Partial | None]:
        """Hold the right to download a file; None if another process published it meanwhile."""
        from zoohub.store.claims import acquire

        with store_errors("claim a download in", self.layout.partial):
            claim = acquire(
                self.layout.partial,
                key,
                published=published,
                policy=policy,
                pulse=pulse,
                notice=notice,
            )
        if claim is None:
            yield None
            return
        with claim as partial:
            yield partial

    def _record(
        self, path: Path, found: FileHash, *, names: tuple[str, ...], source: str | None
    ) -> None:
        status = path.stat()
        before = read_verification(path)
        record = Verification(
            status.st_size, status.st_mtime_ns, status.st_ino, found.marks, names, source
        )
        if before is not None:
            merged = tuple(sorted({*before.names, *names}))
            record = replace(record, names=merged, source=source or before.source)
        write_verification(path, record)

    def _twins(self, sha256: str) -> Iterator[Path]:
        """The same content under other extensions."""
        folder = self.layout.blobs / sha256[:2]
        with contextlib.suppress(OSError):
            for entry in folder.iterdir():
                record = entry.name.endswith(".json") or is_leftover(entry.name, own=True)
                if entry.name.startswith(sha256 + ".") and not record:
                    yield entry

    def _under_extension(self, twin: Path, path: Path) -> Path:
        """Give verified content a second extension: linked, else copied; as it is, read-only."""
        fresh = fresh_name(path)
        try:
            try:
                os.link(twin, fresh)
            except OSError:
                copy_whole(twin, fresh)
                fresh.chmod(0o444)
            _replace(fresh, path)
        except OSError:
            unlink(fresh)
            return twin
        return path if self.check(path) else twin


def _replace(source: Path, target: Path) -> None:
    """`os.replace`, also where Windows refuses to replace a read-only file."""
    try:
        source.replace(target)
    except PermissionError:
        if not target.exists():
            raise
        target.chmod(0o644)
        source.replace(target)
