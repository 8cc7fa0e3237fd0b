"""Writing what a mirror says of itself: index, licences, pages, hashes, signatures."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zoohub._version import __version__
from zoohub.errors import MirrorError
from zoohub.manifest.codec import dump
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.entry import Entry
from zoohub.manifest.hashes import FileRecord, HashManifest
from zoohub.manifest.interchange import Header, write_interchange
from zoohub.manifest.signing import public_key, sign
from zoohub.mirror.catalogue import catalogue
from zoohub.mirror.licences import licences_text
from zoohub.mirror.selection import CATALOGUE, INDEX, LICENCES, MANIFEST, PAGES, SIGNATURE
from zoohub.mirror.state import State, entries_of, read_state
from zoohub.mirror.target import Target

_TURNS = 50
_PAGES_VERSION = 2  # another number makes every mirror's pages anew


class Overtaken(MirrorError):
    """Another process has published the mirror meanwhile, though a lock should keep it out."""


def publishing(
    target: Target, state: State, publish: Callable[[State], HashManifest | None]
) -> HashManifest | None:
    """What `publish` gives, from the state that was read; from a newer one where another process
    was faster, as happens where locks lie (shared folders).

    Raises:
        MirrorError: others never leave the mirror alone.
    """
    for _ in range(_TURNS):
        try:
            return publish(state)
        except Overtaken:
            time.sleep(secrets.randbelow(100) / 1000)
            state = read_state(target)
    raise MirrorError(f"other processes keep changing the mirror {target.name}; try again later")


@dataclass(frozen=True)
class Publisher:
    """How a mirror is published: who can be run, who signs (a private key's PEM), under what
    name the pages go."""

    runnable: Callable[[Entry], bool] = lambda _: False
    key: bytes | None = None
    title: str = "zoohub mirror"

    def publish(
        self,
        target: Target,
        state: State,
        documents: Mapping[str, ModelRow],
        files: Mapping[str, FileRecord],
        *,
        due: bool = False,
    ) -> HashManifest | None:
        """Publish the models and the files; None if just that is published already.

        `state` is what they were made from: where the mirror has another one by now, nothing of
        it is lost, see `Overtaken`.

        `due`: publish it anyway, because something published is damaged or missing. Of the models'
        pages only those are written that differ from what lies there. The hash manifest is written
        last but for its signature: what it names is there.

        Raises:
            MirrorError: the mirror is signed, and there is no key to sign it again.
            Overtaken: another process has published since `state` was read.
        """
        if not due and not self.is_due(target, state, documents, files):
            return None
        content = fingerprint(documents, files)
        check_key(state, self.key, target.name)
        moment = time.time()
        serial = max(state.manifest.serial + 1, int(moment))
        created = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        entries = list(entries_of(documents, target.name))
        pages = catalogue(
            entries, files=files, runnable=self.runnable, created=created, title=self.title
        )
        published = {
            LICENCES: licences_text(entries).encode(),
            INDEX: index_bytes(Header(serial, created), documents),
            CATALOGUE: pages.pop(CATALOGUE),
        }
        records = {name: record_of(data) for name, data in {**published, **pages}.items()}
        manifest = HashManifest(serial, created, content, {**files, **records})
        published[MANIFEST] = manifest.to_bytes()
        _write_pages(target, state, pages, records)
        self._write(target, state, published, serial)
        for name in state.manifest.files.keys() - manifest.files.keys():
            if name.startswith(f"{PAGES}/"):
                target.remove(name)
        return manifest

    def _write(
        self, target: Target, state: State, published: Mapping[str, bytes], serial: int
    ) -> None:
        """Replace what is published of `state`, and of nothing else. Raises Overtaken."""
        with target.guarded(MANIFEST):
            if target.read(MANIFEST) != state.published:
                raise Overtaken(f"the mirror {target.name} was published by another process")
            for name, data in published.items():
                target.write(name, data)
                if name in (INDEX, MANIFEST):
                    self._sign(target, name, data, serial)
        if target.read(MANIFEST) != published[MANIFEST]:
            raise Overtaken(f"the mirror {target.name} was published by another process")

    def is_due(
        self,
        target: Target,
        state: State,
        documents: Mapping[str, ModelRow],
        files: Mapping[str, FileRecord],
    ) -> bool:
        """Whether anything of this is not published yet, or not signed though it should be."""
        if self.key is not None and not state.signed:
            return True
        if state.manifest.content != fingerprint(documents, files):
            return True
        return any(target.read(name) is None for name in (CATALOGUE, LICENCES, INDEX))

    def _sign(self, target: Target, name: str, data: bytes, serial: int) -> None:
        if self.key is None:
            target.remove(name + SIGNATURE)
            return
        purpose = "index" if name == INDEX else "manifest"
        signature = sign(data, purpose=purpose, serial=serial, pem=self.key)  # type: ignore[arg-type]
        target.write(name + SIGNATURE, signature)


def _write_pages(
    target: Target, state: State, pages: Mapping[str, bytes], records: Mapping[str, FileRecord]
) -> None:
    """Write the models' pages that differ from what lies there, several at a time."""
    before, sizes = state.manifest.files, target.sizes()
    changed = [
        name
        for name in pages
        if before.get(name) != records[name] or sizes.get(name) != records[name].size
    ]
    with ThreadPoolExecutor(8, "zoohub-pages") as threads:
        # Whatever a crash of the machine takes of them, `mirror verify --repair` makes again.
        for _ in threads.map(lambda n: target.write(n, pages[n], durable=False), changed):
            pass


def check_key(state: State, key: bytes | None, name: str) -> None:
    """Refuse to change a signed mirror without a key, and to sign with what is no key.

    Raises:
        MirrorError, ManifestError: which of the two it is.
    """
    if key is not None:
        public_key(key)
    elif state.signed:
        raise MirrorError(
            f"the mirror {name} is signed; give the key again (--sign KEY), or remove "
            f"{MANIFEST + SIGNATURE} and {INDEX + SIGNATURE} if it shall be signed no more"
        )


def fingerprint(documents: Mapping[str, ModelRow], files: Mapping[str, FileRecord]) -> str:
    """Changes whenever something would be published differently."""
    running = hashlib.sha256(f"{__version__} {_PAGES_VERSION}\n".encode())
    for model in sorted(documents):
        running.update(dump(documents[model]).encode())
    for path in sorted(files):
        running.update(f"{path}\0{files[path].sha256}\0{files[path].size}\n".encode())
    return running.hexdigest()


def index_bytes(header: Header, documents: Mapping[str, ModelRow]) -> bytes:
    """The compiled index in its interchange form."""
    with tempfile.TemporaryDirectory(prefix="zoohub-mirror-") as folder:
        file = Path(folder) / INDEX
        write_interchange(file, header, (documents[model] for model in sorted(documents)))
        return file.read_bytes()


def record_of(data: bytes) -> FileRecord:
    """The record of a small file."""
    return FileRecord(hashlib.sha256(data).hexdigest(), len(data))
