"""The catalogue: static pages made from the index, that work from a web server and from disk.

`index.html` lists all models and searches them; each model has a page of its own below `m/`, which
is whole without JavaScript. Nothing is loaded from anywhere. Text from the index goes into the
pages escaped, as JSON, or through `textContent` only, and each page's policy (Content-Security-
Policy, with the hash of its one script) lets no other script run.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from zoohub._version import __version__
from zoohub.core.elements import element, text
from zoohub.manifest.entry import Entry
from zoohub.manifest.hashes import FileRecord
from zoohub.manifest.tasks import leading
from zoohub.mirror.markup import embedded_json, fill
from zoohub.mirror.model_page import model_page, numbers
from zoohub.mirror.selection import CATALOGUE, page_path, path_of


def catalogue(
    entries: Iterable[Entry],
    *,
    files: Mapping[str, FileRecord],
    runnable: Callable[[Entry], bool],
    created: str | None = None,
    title: str = "zoohub mirror",
) -> dict[str, bytes]:
    """All pages by their paths in the mirror.

    `files` are the mirror's files by their paths; `runnable` says whether zoohub has the network of
    a model; `created` is a time in ISO 8601 for people to read. A model's page only changes when
    the model does.
    """
    pages: dict[str, bytes] = {}
    models = []
    for entry in entries:
        runs = runnable(entry)
        models.append(list_data(entry, files, runs))
        pages[page_path(entry.model)] = model_page(entry, files=files, runnable=runs, title=title)
    pages[CATALOGUE] = list_page(models, created=created, title=title)
    return pages


def list_page(models: Sequence[Mapping[str, object]], *, created: str | None, title: str) -> bytes:
    """The page that lists the models (`list_data`); without JavaScript, as plain links."""
    data = {"title": title, "created": created, "version": __version__, "models": models}
    links = (element("li", element("a", text(str(m["name"])), href=str(m["page"]))) for m in models)
    return fill(
        "index.html",
        ("base.css", "list.css"),
        "list.js",
        title=html.escape(title),
        links="\n".join(links),
        data=embedded_json(data),
    )


def list_data(entry: Entry, files: Mapping[str, FileRecord], runnable: bool) -> dict[str, object]:
    """What the list knows of a model; unknown things are left out."""
    checkpoints = entry.checkpoints
    usual = entry.checkpoint() or (checkpoints[0] if checkpoints else None)
    metrics = numbers(usual.metrics) if usual else {}
    metric = leading(metrics)
    datasets = [(c.dataset, *(r.dataset for r in c.records)) for c in checkpoints]
    sources = [r.publisher for c in checkpoints for r in c.records]
    known = {
        "name": entry.model,
        "page": quote(page_path(entry.model)),
        "family": entry.family,
        "task": entry.task,
        "aliases": list(entry.aliases),
        "description": entry.description,
        "parameters": entry.parameter_count,
        "runnable": int(runnable),
        "dataset": usual.dataset if usual else None,
        "metric": None if metric is None else [*metric],
        "ids": [c.id for c in checkpoints],
        "datasets": sorted({name for names in datasets for name in names if name}),
        "sources": sorted({name for name in sources if name}),
        "here": sum(1 for c in checkpoints if path_of(c) in files),
    }
    return {key: value for key, value in known.items() if value not in (None, [], "")}
