"""Finding the indexes that are in force and making each one's local database.

The built-in index is `zoohub/_data/index.sqlite` in a wheel. In a checkout it is the YAML in
`index/` beside the package, compiled into the cache whenever a file changed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.notes import note
from zoohub.core.paths import expanded
from zoohub.errors import ManifestError
from zoohub.manifest.database import LAYOUT, Database
from zoohub.manifest.index import Index, Layer
from zoohub.manifest.places import (
    DATASETS,
    PACKAGE,
    checkout_index,
    fetched_file,
    is_remote,
    signature,
    yaml_files,
)
from zoohub.settings import Settings

if TYPE_CHECKING:
    from zoohub.manifest.rows import Batches

BUILT_IN = "built-in"

Compiled = tuple["Batches", Mapping[str, str | int | None]]


def open_index(settings: Settings) -> Index:
    """All indexes in force: those of `ZOOHUB_INDEX` in order, then the built-in one.

    Nothing is fetched: an index given as a URL is read from where `zoohub index update` keeps it.

    Raises:
        ManifestError: an index is missing, malformed, hostile or too new, or the lock is.
    """
    layers = [_user_layer(location, settings) for location in settings.indexes]
    layers.append(Layer(BUILT_IN, built_in(settings)))
    if settings.lock is None:
        return Index(tuple(layers))
    from zoohub.manifest.lock import read_lock

    return Index(tuple(layers), lock=read_lock(settings.lock), lock_name=str(settings.lock))


def built_in(settings: Settings) -> Database:
    """The index that came with zoohub."""
    folder = checkout_index()
    if folder is not None:
        return open_folder(folder, settings)
    packaged = PACKAGE / "_data" / "index.sqlite"
    if packaged.is_file():
        return Database(packaged)
    compiled = PACKAGE / "_data" / "index.jsonl.gz"
    if compiled.is_file():
        return open_compiled(compiled, settings)
    raise ManifestError(f"zoohub came without its index ({packaged} is missing); reinstall zoohub")


def open_folder(folder: Path, settings: Settings) -> Database:
    """The database of a folder of YAML files, or of one such file."""

    def compiled() -> Compiled:
        from zoohub.manifest.build import compile_folder  # imports yaml
        from zoohub.manifest.rows import batches

        return batches(compile_folder(folder)), {}

    files = [*yaml_files(folder)]
    if (folder / DATASETS).is_file():
        files.append(folder / DATASETS)
    return _cached(folder, signature(files, LAYOUT), compiled, settings)


def open_compiled(file: Path, settings: Settings) -> Database:
    """The database of an `index.jsonl.gz`."""

    def compiled() -> Compiled:
        from zoohub.manifest.reading import read_rows

        header, rows = read_rows(file)
        return rows, {"serial": header.serial, "created": header.created}

    return _cached(file, signature([file], LAYOUT), compiled, settings)


def open_location(location: str, settings: Settings) -> Database:
    """The database of one index: a folder or file of YAML, a compiled file, or a fetched URL.

    Raises:
        ManifestError: it does not exist, or was not fetched yet.
    """
    if is_remote(location):
        return open_compiled(fetched_file(location, settings), settings)
    path = expanded(location)
    if not path.exists():
        from zoohub.core.urls import public

        raise ManifestError(f"the index {public(location)} does not exist; check ZOOHUB_INDEX")
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        return open_folder(path, settings)
    return open_compiled(path, settings)


def _user_layer(location: str, settings: Settings) -> Layer:
    remote = is_remote(location)
    trusted = not remote or settings.replace_models
    return Layer(location, open_location(location, settings), trusted)


def _cached(
    source: Path, version: str, compiled: Callable[[], Compiled], settings: Settings
) -> Database:
    """The database of that version of the source from the cache, built if it is not there.

    A version is a file of its own, put in place by a rename: a reader never sees half of one,
    two processes that build at once both succeed.
    """
    import zlib  # the rest only where something has to be built

    name = f"{zlib.crc32(str(source.resolve()).encode()):08x}"
    folder = settings.home / "index"
    target = folder / f"{name}-{version}.sqlite"
    if target.is_file():
        try:
            return Database(target, is_cache=True)
        except ManifestError as error:
            # Another process may have cleared the file away, having built a newer one.
            if target.is_file():
                note(f"{error}; it is made again")
    from zoohub.core.atomic import remove_leftovers, standing_in
    from zoohub.manifest.database_build import write_database

    rows, meta = compiled()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        return _for_this_process(rows, meta)
    with standing_in(target, durable=False) as part:
        write_database(part, rows, meta)
    database = Database(target, is_cache=True)
    remove_leftovers(folder, own=True)
    _clear(folder, name, target)
    return database


def _for_this_process(rows: Batches, meta: Mapping[str, str | int | None]) -> Database:
    """With a read-only home, the database lives in a temporary file until this process has it
    open, and is built again by the next one. Slow, but it works."""
    import atexit
    import tempfile

    from zoohub.manifest.database_build import write_database

    handle, temporary = tempfile.mkstemp(".sqlite", "zoohub-index-")
    os.close(handle)
    part = Path(temporary)
    try:
        write_database(part, rows, meta)
        database = Database(part)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    with contextlib.suppress(OSError):
        part.unlink()  # POSIX keeps an open file alive
    if part.exists():
        atexit.register(_remove, database, part)
    return database


def _remove(database: Database, file: Path) -> None:
    database.close()
    with contextlib.suppress(OSError):
        file.unlink()


def _clear(folder: Path, name: str, keep: Path) -> None:
    """Remove older versions of the same source; whoever has one open keeps it."""
    for file in folder.glob(f"{name}-*.sqlite"):
        if file != keep:
            with contextlib.suppress(OSError):
                file.unlink()
