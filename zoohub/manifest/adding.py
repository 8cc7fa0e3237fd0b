"""`zoohub index add`: a user's own file becomes an entry of the user's own index."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError
from zoohub.manifest.build import compile_files
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.schema import FORMATS
from zoohub.manifest.values import name_problem
from zoohub.manifest.yaml_reader import read_yaml
from zoohub.manifest.yaml_writer import to_yaml
from zoohub.settings import Settings

_CHUNK = 1 << 20
HEADER = "Written by `zoohub index add`; edit it as you like."


@dataclass(frozen=True)
class Added:
    """What was written: the reference that names the file now, and the YAML file it stands in."""

    reference: str
    file: Path
    source: str
    sha256: str
    size: int


def add_file(
    source: str,
    file: Path,
    name: str,
    settings: Settings,
    *,
    like: Entry | None = None,
    task: str | None = None,
    format: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Added:
    """Enter `file`, which `source` (a URL or a path) gives, as `name`, `NAME[@ID]`.

    Hash and size are computed here. `like` gives task, network and input of a model that zoohub
    knows, `facts` more fields of the checkpoint (dataset, metrics, licence, …). The entry goes into
    the first writable folder of `ZOOHUB_INDEX`, as `<task>/<model>.yaml`; comments in a file that
    is there already are lost.

    Raises:
        ManifestError: the name is not allowed or taken, the format is unknown, or no index is
            writable; nothing is written then.
    """
    model, _, id = name.partition("@")
    id = id or "own"
    for part in (model, id):
        problem = name_problem(part)
        if problem:
            raise ManifestError(problem)
    task = task or (like.task if like else "image-classification")
    folder = writable_index(settings)
    target = folder / task / f"{model}.yaml"
    sha256, size = hash_file(file)
    checkpoint: dict[str, Any] = {
        "format": format or format_of(source),
        "sources": [_location(source, file)],
        "sha256": sha256,
        "size": size,
        **(facts or {}),
    }
    document = _document(target, model, task, like)
    known = document["models"][model].setdefault("checkpoints", {})
    if id in known:
        raise ManifestError(
            f"{model}@{id} is in {target} already; ids are never used again, choose another"
        )
    known[id] = checkpoint
    document["models"][model].setdefault("default", id)
    _write(target, to_yaml(document, HEADER))
    return Added(f"{model}@{id}", target, checkpoint["sources"][0], sha256, size)


def writable_index(settings: Settings) -> Path:
    """The first folder of `ZOOHUB_INDEX` that can be written; made if it is not there.

    Raises:
        ManifestError: there is none; says how to set one.
    """
    for location in settings.indexes:
        if "://" in location or location.endswith((".gz", ".yaml", ".yml")):
            continue
        folder = Path(location).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ManifestError(
        "no index of yours can be written; set ZOOHUB_INDEX to a folder, e.g. "
        "ZOOHUB_INDEX=$HOME/zoohub-index"
    )


def hash_file(file: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file. Raises ManifestError if it is empty or unreadable."""
    digest, size = hashlib.sha256(), 0
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror}") from None
    if size == 0:
        raise ManifestError(f"{file} is empty")
    return digest.hexdigest(), size


def format_of(source: str) -> str:
    """The format that a file's name says. Raises ManifestError if it says none that is known."""
    name = source.split("?")[0].split("#")[0].lower()
    for ending, format in (("tar.gz", "tar.gz"), ("ms", "mslite"), ("pt", "pth")):
        if name.endswith(f".{ending}"):
            return format
    ending = name.rpartition(".")[2]
    if ending in FORMATS:
        return ending
    raise ManifestError(f"{source}: its name tells no known format; give it with --format")


def _location(source: str, file: Path) -> str:
    return source if "://" in source else file.resolve().as_uri()


def _document(target: Path, model: str, task: str, like: Entry | None) -> dict[str, Any]:
    """The family file as it is, or a new one with the network and input of `like`."""
    if target.is_file():
        document = read_yaml(target).value
        if not isinstance(document, dict) or not isinstance(document.get("models"), dict):
            raise ManifestError(f"{target} is there but is no family file")
        document["models"].setdefault(model, {})
        return document
    value: dict[str, Any] = {}
    if like is not None:
        spec = like.checkpoint() or Checkpoint(like.model, "", "", (), "none")
        network, input = spec.network or like.network, spec.input or like.input
        if network is not None:
            value["network"] = _plain(asdict(network))
        if input is not None:
            value["input"] = _plain(asdict(input))
    return {"family": model, "task": task, "default": model, "models": {model: value}}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: list(item) if isinstance(item, tuple) else item
        for key, item in value.items()
        if item is not None and item != {}
    }


def _write(target: Path, text: str) -> None:
    """Check the text as an index file, then put it in place at once."""
    part = target.with_name(f".{target.stem}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        for _ in compile_files(part):
            pass
        part.replace(target)
    except OSError as error:
        raise ManifestError(f"{target} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
