"""The catalogue: one page of HTML, made from the index, that works from a web server and from disk.

All models are in it as JSON; the page's own script shows, filters and searches them, and gives
each model a page of its own under `#/m/NAME`. Nothing is loaded from anywhere. Text from the index
goes into the page through JSON and `textContent` only, and the page's policy (Content-Security-
Policy, with the hash of its one script) lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.resources
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zoohub._version import __version__
from zoohub.manifest.entry import Checkpoint, Entry, Record
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.selection import path_of

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def catalogue_page(
    entries: Iterable[Entry],
    *,
    files: Mapping[str, FileRecord],
    runnable: Callable[[Entry], bool],
    created: str | None = None,
    title: str = "zoohub mirror",
) -> str:
    """The page as text.

    `files` are the mirror's files by their paths; `runnable` says whether zoohub has the network of
    a model; `created` is a time in ISO 8601 for people to read.
    """
    data = {
        "title": title,
        "created": created,
        "version": __version__,
        "models": [model_data(entry, files, runnable(entry)) for entry in entries],
    }
    style, script = _part("style.css"), _part("app.js")
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    slots = {
        "title": html.escape(title),
        "policy": policy,
        "style": style,
        "script": script,
        "data": embedded_json(data),
    }
    return _SLOT.sub(lambda match: slots[match[1]], _part("index.html"))


def embedded_json(value: Any) -> str:
    """JSON that may stand inside a `<script>` element: no character in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    # Lone surrogates cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode()


def model_data(entry: Entry, files: Mapping[str, FileRecord], runnable: bool) -> dict[str, Any]:
    """What the page knows of a model; unknown things are left out."""
    return _known(
        name=entry.model,
        family=entry.family,
        task=entry.task,
        default=entry.default,
        aliases=list(entry.aliases),
        description=entry.description,
        paper=entry.paper,
        parameters=entry.parameter_count,
        flops=entry.flops,
        runnable=int(runnable),
        checkpoints=[checkpoint_data(checkpoint, files) for checkpoint in entry.checkpoints],
    )


def checkpoint_data(checkpoint: Checkpoint, files: Mapping[str, FileRecord]) -> dict[str, Any]:
    """What the page knows of a checkpoint."""
    path = path_of(checkpoint)
    record = files.get(path) if path else None
    publishers = sorted({record.publisher for record in checkpoint.records if record.publisher})
    return _known(
        id=checkpoint.id,
        format=checkpoint.format,
        declared=checkpoint.declared,
        sha256=checkpoint.sha256,
        prefix=checkpoint.sha256_prefix,
        doubtful=checkpoint.doubtful_sha256,
        recorded=record.sha256 if record else None,
        size=record.size if record else checkpoint.size,
        dataset=checkpoint.dataset,
        metrics=_numbers(checkpoint.metrics),
        licence=checkpoint.licence,
        terms=checkpoint.dataset_terms,
        mindspore=checkpoint.mindspore,
        hardware=checkpoint.hardware,
        note=checkpoint.note,
        publishers=publishers,
        sources=list(checkpoint.sources),
        file=path if record else None,
        records=[_record_data(record) for record in checkpoint.records],
    )


def _record_data(record: Record) -> dict[str, Any]:
    return _known(
        uid=record.uid,
        dataset=record.dataset,
        metrics=_numbers(record.metrics),
        mindspore=record.mindspore,
        repository=record.repository,
        updated=record.updated,
    )


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if value - value == 0}


def _known(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, [], {}, "")}


def _part(name: str) -> str:
    resource = importlib.resources.files("zoohub.mirror") / "pages" / name
    return resource.read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a Content-Security-Policy names an inline element: by the hash of its content."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
