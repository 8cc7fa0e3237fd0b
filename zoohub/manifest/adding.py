"""`zoohub index add`: a user's own file becomes an entry of the user's own index."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from zoohub.core.atomic import change
from zoohub.core.hashing import FileHash, hash_file
from zoohub.core.json_reader import Json
from zoohub.core.paths import expanded
from zoohub.core.yaml_editing import insert
from zoohub.core.yaml_reader import parse_yaml
from zoohub.core.yaml_writer import to_yaml
from zoohub.errors import ManifestError
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.family import compile_family, family_file_problem
from zoohub.manifest.schema import FORMATS
from zoohub.manifest.values import name_problem
from zoohub.settings import Settings

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
    facts: Mapping[str, object] | None = None,
) -> Added:
    """Enter `file`, which `source` (a URL or a path) gives, as `name`, `NAME[@ID]`.

    Hash and size are computed here. `like` gives task, network and input of a model that zoohub
    knows, `facts` more fields of the checkpoint (dataset, metrics, licence, …). The entry goes into
    the first writable folder of `ZOOHUB_INDEX`, as `<task>/<model>.yaml`. A file that is there
    already keeps its comments, and what others add at the same time.

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
    found = _hashed(file)
    location = _location(source, file)
    checkpoint: dict[str, object] = {
        "format": format or format_of(source),
        "sources": [location],
        "sha256": found.sha256,
        "size": found.size,
        **(facts or {}),
    }
    new = _Addition(target, task, model, id, checkpoint, like)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        change(target, new.into)
    except OSError as error:
        raise ManifestError(f"{target} cannot be written: {error.strerror}") from None
    return Added(f"{model}@{id}", target, location, found.sha256, found.size)


def writable_index(settings: Settings) -> Path:
    """The first folder of `ZOOHUB_INDEX` that can be written; made if it is not there.

    Raises:
        ManifestError: there is none; says how to set one.
    """
    for location in settings.indexes:
        if "://" in location or location.endswith((".gz", ".yaml", ".yml")):
            continue
        folder = expanded(location)
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


def _hashed(file: Path) -> FileHash:
    """SHA-256 and size of a file. Raises ManifestError if it is empty or unreadable."""
    try:
        found = hash_file(file)
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror}") from None
    if found.size == 0:
        raise ManifestError(f"{file} is empty")
    return found


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


@dataclass(frozen=True)
class _Addition:
    """A checkpoint on its way into a family file, which may be there already or not."""

    target: Path
    task: str
    model: str
    id: str
    checkpoint: dict[str, object]
    like: Entry | None

    def into(self, before: bytes | None) -> bytes:
        """The file's new content; every character that was there stays.

        Raises:
            ManifestError: the id is taken, or the file is none that can be extended.
        """
        text = self._new_text() if before is None else self._extended(before)
        data = text.encode()
        document = parse_yaml(data, str(self.target))
        compile_family(document)
        problem = family_file_problem(self.target.parent.name, self.target.stem, document)
        if problem:
            raise document.error((), problem)
        return data

    def _new_text(self) -> str:
        model = {"default": self.id, "checkpoints": {self.id: self.checkpoint}}
        value = {"family": self.model, "task": self.task, "default": self.model}
        return to_yaml({**value, "models": {self.model: {**_traits(self.like), **model}}}, HEADER)

    def _extended(self, before: bytes) -> str:
        value = parse_yaml(before, str(self.target)).value
        models = value.get("models") if isinstance(value, dict) else None
        if not isinstance(models, dict):
            raise ManifestError(f"{self.target} is there but is no family file")
        known = self._mapping(models.get(self.model))
        if self.id in self._mapping(known.get("checkpoints")):
            raise ManifestError(
                f"{self.model}@{self.id} is in {self.target} already; ids are never used again, "
                "choose another"
            )
        text = before.decode("utf-8-sig")
        try:
            for path, key, item in self._steps(self.model in models, known):
                text = insert(text, ("models", *path), key, item)
        except ValueError as error:
            raise ManifestError(
                f"{self.target} cannot be extended: {error}; add this to it by hand:\n"
                + to_yaml({self.id: self.checkpoint})
            ) from None
        return text

    def _mapping(self, value: Json) -> dict[str, Json]:
        """A mapping of the file that is there; what is absent or null is empty."""
        if isinstance(value, dict) or value is None:
            return value or {}
        raise ManifestError(f"{self.target} is there but is no family file")

    def _steps(
        self, is_there: bool, known: Mapping[str, Json]
    ) -> list[tuple[tuple[str, ...], str, object]]:
        """What goes where: the smallest part that is not there yet."""
        added = {self.id: self.checkpoint}
        whole: dict[str, object] = {"default": self.id, "checkpoints": added}
        if not is_there:
            return [((), self.model, whole)]
        if not known:
            return [((self.model,), key, item) for key, item in whole.items()]
        first: list[tuple[tuple[str, ...], str, object]]
        first = [] if known.get("default") else [((self.model,), "default", self.id)]
        if "checkpoints" not in known:
            return [*first, ((self.model,), "checkpoints", added)]
        return [((self.model, "checkpoints"), self.id, self.checkpoint), *first]


def _traits(like: Entry | None) -> dict[str, dict[str, object]]:
    """Network and input of a model that another one is like."""
    if like is None:
        return {}
    spec = like.checkpoint() or Checkpoint(like.model, "", "", (), "none")
    network, input = spec.network or like.network, spec.input or like.input
    found = {"network": network, "input": input}
    return {key: _plain(asdict(value)) for key, value in found.items() if value is not None}


def _plain(value: Mapping[str, object]) -> dict[str, object]:
    return {
        key: list(item) if isinstance(item, tuple) else item
        for key, item in value.items()
        if item is not None and item != {}
    }
