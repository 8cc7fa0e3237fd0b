"""Publishing a file of one's own in a mirror: a fine-tuned run, or a model of a private index.

Such a file has no address on the internet, so it gets one that can never exist:
`https://zoohub.invalid/<model>/<id>.<ext>` (RFC 2606 keeps `.invalid` free). A client asks its
mirrors first, as for any other file, finds it there, and holds it to its full hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import copy_whole, fresh_name
from zoohub.errors import IntegrityError, MirrorError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.hashes import FileRecord, HashManifest
from zoohub.manifest.schema import check_model
from zoohub.manifest.values import SchemaError, name_problem
from zoohub.mirror.publish import Publisher, check_key, publishing
from zoohub.mirror.state import Journal, State, alone, hash_stream, read_state
from zoohub.mirror.sync import check_place
from zoohub.mirror.target import Target
from zoohub.settings import Settings

HOST = "zoohub.invalid"
_NOT_ITS_OWN = ("aliases", "sha256_prefix", "doubtful_sha256", "doubtful")  # the given entry's


@dataclass(frozen=True, slots=True)
class Contribution:
    """A model's compiled form with one checkpoint, and that checkpoint's file.

    `classes` are the names of its outputs; they go into the index with it.
    """

    model: ModelRow
    file: Path
    classes: tuple[str, ...] = ()


def add(
    contribution: Contribution,
    target: Target,
    settings: Settings,
    publisher: Publisher,
    *,
    name: str | None = None,
    licence: str | None = None,
) -> str:
    """Put the file into the mirror and the model into its index; returns the reference.

    A model that was added before gets one more checkpoint, which becomes its default; the file
    already there is left alone.

    Raises:
        MirrorError: the name is not allowed or is another's, or the mirror cannot be written.
        IntegrityError: the file is not the one the model's entry has the hash of.
    """
    model = name or str(contribution.model["model"])
    problem = name_problem(model)
    if problem:
        raise MirrorError(f"the model cannot be called so in a mirror: {problem}; give --name")
    with contribution.file.open("rb") as stream:
        record = hash_stream(stream)
    declared = contribution.model["checkpoints"][0].get("sha256")
    if declared not in (None, record.sha256):
        raise IntegrityError(
            f"{contribution.file} has SHA-256 {record.sha256}, its entry says {declared}: it was "
            "changed since; nothing was published"
        )
    work = target.work(settings.home)
    with alone(work, target.name):
        state = read_state(target)
        check_key(state, publisher.key, target.name)
        if state.manifest.created is None:
            check_place(target.name, (), target.sizes())
        document = entered(contribution, model, record, licence, state.documents.get(model))
        checkpoint = document["checkpoints"][-1]

        def publish(state: State) -> HashManifest | None:
            before = state.documents.get(model)
            mine = entered(contribution, model, record, licence, before)
            documents = {**state.documents, model: mine}
            return publisher.publish(target, state, documents, {**state.files, path: record})

        path = checkpoint["sources"][0].partition("://")[2]
        if state.files.get(path) != record or target.sizes().get(path) != record.size:
            copy = fresh_name(work / "copy")
            copy_whole(contribution.file, copy, sha256=record.sha256)
            copy.chmod(0o444)
            target.place(path, copy, keep=False)
        publishing(target, state, publish)
        Journal(work).clear()
    return f"{model}@{checkpoint['id']}"


def entered(
    contribution: Contribution,
    name: str,
    record: FileRecord,
    licence: str | None,
    before: ModelRow | None,
) -> ModelRow:
    """The model's compiled form in the mirror; its new checkpoint is the last one.

    Raises:
        MirrorError: `before`, the model of that name in the mirror, is another's, or the entry is
            not allowed in an index.
    """
    (given,) = contribution.model["checkpoints"]
    id = f"own-{record.sha256[:8]}"
    url = f"https://{HOST}/{name}/{id}.{given['format']}"
    earlier = before.get("checkpoints", ()) if before is not None else ()
    kept = [c for c in earlier if c["id"] != id]
    if any(not c["sources"][0].startswith(f"https://{HOST}/") for c in kept):
        raise MirrorError(
            f"the mirror has a published model called {name!r}; give yours another name (--name)"
        )
    checkpoint: dict[str, object] = {
        **{k: v for k, v in given.items() if k not in _NOT_ITS_OWN},
        "id": id,
        "sources": [url],
        "sha256": record.sha256,
        "size": record.size,
        "records": [{"uid": f"{name}/{id}", "url": url, "publisher": "own"}],
    }
    if licence is not None:
        checkpoint["licence"] = licence
    if contribution.classes:
        checkpoint["class_names"] = list(contribution.classes)
    document: dict[str, object] = {
        **{k: v for k, v in contribution.model.items() if k not in ("aliases", "published")},
        "model": name,
        "family_default": False,
        "default": id,
        "checkpoints": [*kept, checkpoint],
    }
    if contribution.classes:
        document["description"] = f"Tells apart: {', '.join(contribution.classes)}"[:2000]
    try:
        return check_model(document)
    except SchemaError as error:
        where = ".".join(map(str, error.where))
        raise MirrorError(f"{name!r} cannot go into an index: {where}: {error.message}") from None
