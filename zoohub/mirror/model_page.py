"""A model's own page in the catalogue: static HTML, whole without JavaScript and from disk."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from zoohub._version import __version__
from zoohub.core.counting import counted
from zoohub.core.elements import element, text
from zoohub.manifest.entry import Checkpoint, Entry, Record
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.markup import amount, fill
from zoohub.mirror.selection import path_of

_BYTES = (" B", " kB", " MB", " GB", " TB")
_COUNTS = ("", " k", " M", " G", " T")
_STRENGTH = {
    "sha256": "declared in full by the publisher",
    "prefix": "only the beginning is declared; the full hash is recorded at the first download",
    "none": "none declared; recorded at the first download",
    "doubtful": "the declared hash is doubtful and is not relied on",
}
_RECORDED = {
    "prefix": "of this mirror's file; the publisher declares only its beginning",
    "none": "of this mirror's file; the publisher declares none",
    "doubtful": "of this mirror's file; what the publisher declares is doubtful",
}


def model_page(
    entry: Entry, *, files: Mapping[str, FileRecord], runnable: bool, title: str
) -> bytes:
    """The page of one model; `files` are the mirror's files by their paths."""
    body = "\n".join([*_head(entry, runnable), *_use(entry, files, runnable)])
    ordered = sorted(entry.checkpoints, key=lambda c: c.id != entry.default)
    count = len(ordered)
    heading = counted(count, "checkpoint") if count else "No checkpoint yet"
    files_heading = "" if entry.steps else element("h2", text(heading))
    sheets = "\n".join(_sheet(entry, checkpoint, files) for checkpoint in ordered)
    return fill(
        "model.html",
        ("base.css", "model.css"),
        "model.js",
        name=html.escape(entry.model),
        title=html.escape(title),
        version=__version__,
        body=f"{body}\n{files_heading}\n{sheets}",
    )


def numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that are numbers."""
    return {name: value for name, value in metrics.items() if value - value == 0}


def _head(entry: Entry, runnable: bool) -> Iterable[str]:
    yield element("h1", text(entry.model))
    runs = "runnable" if runnable else "files only: zoohub has no network for it"
    tags = [entry.task, f"family {entry.family}"]
    if entry.parameter_count is not None:
        tags.append(f"{amount(entry.parameter_count, _COUNTS)} parameters")
    if entry.flops is not None:
        tags.append(f"{amount(entry.flops, _COUNTS)} multiply-adds")
    listed = "".join(element("li", text(tag), kind="tag") for tag in tags)
    listed += element("li", text(runs), kind="tag good" if runnable else "tag")
    yield element("ul", listed, kind="tags")
    if entry.description:
        yield element("p", text(entry.description), kind="lead")
    if entry.paper:
        yield element("p", "Paper: ", _link(entry.paper), kind="lead")
    if entry.aliases:
        more = " …" if len(entry.aliases) > 12 else ""
        yield _say(f"Also known as {', '.join(entry.aliases[:12])}{more}")


def _use(entry: Entry, files: Mapping[str, FileRecord], runnable: bool) -> Iterable[str]:
    """The commands to copy."""
    if entry.steps:
        yield from _use_steps(entry)
    if not entry.checkpoints:
        return
    reference = entry.model if entry.default else entry.checkpoints[0].reference
    yield element("h2", "Use it")
    if any(path_of(checkpoint) in files for checkpoint in entry.checkpoints):
        yield _say("Take the files from this mirror:")
        yield _command("export ZOOHUB_MIRROR=ADDRESS", address=True)
        where = "ADDRESS is the folder or URL of this mirror, where index.html lies."
        yield element("noscript", _say(where))
    yield _say("Fetch and verify it; prints the path:")
    yield _command(f"zoohub download {reference}")
    quoted = json.dumps(reference, ensure_ascii=False)
    if runnable:
        yield _say("In Python, with its weights in it:")
        yield _command(f"import zoohub\nnet = zoohub.load({quoted}, pretrained=True)")
    else:
        yield _say("In Python, as named arrays:")
        yield _command(f"import zoohub\nweights = zoohub.load_weights({quoted})")


def _use_steps(entry: Entry) -> Iterable[str]:
    """A pipeline's steps, and how it is run."""
    yield element("h2", "Use it")
    for step, reference in entry.steps.items():
        yield _say(f"{step}: {reference}")
    yield _say("Fetch and verify the files of all steps; prints their paths:")
    yield _command(f"zoohub download {entry.model}")
    yield _say("Run it:")
    yield _command(f"zoohub predict {entry.model} page.png")


def _sheet(entry: Entry, checkpoint: Checkpoint, files: Mapping[str, FileRecord]) -> str:
    """One checkpoint."""
    path = path_of(checkpoint)
    record = files.get(path) if path else None
    tags = [
        ("default", "tag good", checkpoint.id == entry.default),
        ("in this mirror", "tag good", record is not None),
        ("doubtful hash", "tag warn", checkpoint.declared == "doubtful"),
    ]
    heading = text(checkpoint.reference)
    heading += "".join(element("span", text(t), kind=kind) for t, kind, shown in tags if shown)
    metrics = "".join(
        element("div", element("dt", text(name)), element("dd", text(_number(value))))
        for name, value in numbers(checkpoint.metrics).items()
    )
    return element(
        "section",
        element("h3", heading),
        element("dl", metrics, kind="metrics") if metrics else "",
        _facts(checkpoint, path if record else None, record),
        _records(checkpoint.records),
        _say("Download it:"),
        _command(f"zoohub download {checkpoint.reference}"),
        kind="sheet",
    )


def _facts(checkpoint: Checkpoint, path: str | None, record: FileRecord | None) -> str:
    size = record.size if record else checkpoint.size
    names = checkpoint.class_names or ()
    publishers = sorted({r.publisher for r in checkpoint.records if r.publisher})
    shown = {
        "Trained on": _known(checkpoint.dataset),
        "Licence": text(checkpoint.licence or "unknown"),
        "Dataset terms": text(checkpoint.dataset_terms or "unknown"),
        "SHA-256": _hash(checkpoint, record),
        "Size": _known(None if size is None else amount(size, _BYTES)),
        "Format": text(checkpoint.format),
        "Classes": _known(", ".join(names[:40]) + (" …" if len(names) > 40 else "")),
        "MindSpore": _known(checkpoint.mindspore),
        "Hardware": _known(checkpoint.hardware),
        "Published by": _known(", ".join(publishers)),
        "Note": _known(checkpoint.note),
        "File": path and element("a", text(path), href=f"../{quote(path)}", download=True),
        "Sources": element("ul", *(element("li", _link(url)) for url in checkpoint.sources)),
    }
    pairs = (element("dt", name) + element("dd", value) for name, value in shown.items() if value)
    return element("dl", *pairs, kind="facts-table")


def _hash(checkpoint: Checkpoint, record: FileRecord | None) -> str:
    full = checkpoint.sha256 or (record.sha256 if record else None)
    prefix = checkpoint.sha256_prefix and f"{checkpoint.sha256_prefix}…"
    digest = full or prefix or checkpoint.doubtful_sha256
    recorded = record is not None and checkpoint.sha256 is None
    strength = (_RECORDED if recorded else _STRENGTH).get(checkpoint.declared, "")
    shown = element("span", text(digest), kind="hash") + "<br>" if digest else ""
    return shown + element("small", text(strength))


def _records(records: tuple[Record, ...]) -> str:
    if not records:
        return ""
    heads = ("Published as", "Dataset", "Metrics", "MindSpore", "Updated")
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    rows = [
        element("tr", *(element("td", _known(cell)) for cell in _cells(record)))
        for record in records
    ]
    title = counted(len(records), "published record")
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("details", element("summary", title), element("div", table, kind="scroll"))


def _cells(record: Record) -> tuple[str | None, ...]:
    metrics = ", ".join(f"{k} {_number(v)}" for k, v in numbers(record.metrics).items())
    return record.uid, record.dataset, metrics, record.mindspore, record.updated


def _known(value: str | None) -> str:
    return text(value) if value else ""


def _say(value: str) -> str:
    return element("p", text(value), kind="say")


def _command(value: str, *, address: bool = False) -> str:
    kind = "address" if address else None
    return element("div", element("code", text(value), tabindex="0", kind=kind), kind="command")


def _link(url: str) -> str:
    """A link where the URL is one that a page may have, else its text."""
    if not url.lower().startswith(("https://", "http://")):
        return text(url)
    return element("a", text(url), href=url, rel="noopener noreferrer")


def _number(value: float) -> str:
    return f"{value:.6g}"
