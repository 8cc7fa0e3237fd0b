"""Entries and checkpoints as a notebook shows them: tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoohub.core.elements import element, facts, table
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.tasks import leading

_MOST = 100  # rows


def entry_html(entry: Entry) -> str:
    """What is known of the model, and its checkpoints."""
    known = {
        "task": entry.task,
        "family": entry.family,
        "description": entry.description,
        "parameters": f"{entry.parameter_count:,}" if entry.parameter_count else None,
        "paper": entry.paper,
        "aliases": ", ".join(entry.aliases),
        "steps": ", ".join(f"{step}: {name}" for step, name in entry.steps.items()),
        "index": None if entry.index == "built-in" else entry.index,
    }
    rows = [_row(checkpoint, entry.default) for checkpoint in entry.checkpoints[:_MOST]]
    header = ("checkpoint", "format", "dataset", "metrics", "size", "hash", "licence")
    return element(
        "div", facts(known, entry.model), table(header, rows), _more(entry.checkpoints, rows)
    )


def checkpoint_html(checkpoint: Checkpoint) -> str:
    """What is known of one file."""
    known = {
        "format": checkpoint.format,
        "size": _bytes(checkpoint.size),
        "dataset": checkpoint.dataset,
        "metrics": _figures(checkpoint.metrics),
        "sha256": checkpoint.sha256 or checkpoint.sha256_prefix,
        "hash": checkpoint.declared,
        "licence": checkpoint.licence,
        "dataset terms": checkpoint.dataset_terms,
        "trained with": checkpoint.mindspore and f"MindSpore {checkpoint.mindspore}",
        "hardware": checkpoint.hardware,
        "note": checkpoint.note,
    }
    sources = {f"source {n}": url for n, url in enumerate(checkpoint.sources, 1)}
    return facts({**known, **sources}, checkpoint.reference)


def entries_html(entries: Sequence[Entry]) -> str:
    """A row a model."""
    rows = []
    for entry in entries[:_MOST]:
        best = leading(entry.metrics)
        metric = f"{best[0]} {best[1]:g}" if best else ""
        rows.append((entry.model, entry.task, metric, len(entry.checkpoints), entry.description))
    header = ("model", "task", "metric", "checkpoints", "description")
    return element("div", table(header, [[_plain(v) for v in row] for row in rows]),
                   _more(entries, rows))  # fmt: skip


def _row(checkpoint: Checkpoint, default: str | None) -> list[str]:
    name = f"{checkpoint.id} (default)" if checkpoint.id == default else checkpoint.id
    values = (
        name,
        checkpoint.format,
        checkpoint.dataset,
        _figures(checkpoint.metrics),
        _bytes(checkpoint.size),
        checkpoint.declared,
        checkpoint.licence,
    )
    return [_plain(value) for value in values]


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _figures(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in metrics.items())


def _bytes(size: int | None) -> str | None:
    return None if size is None else f"{size / 1e6:,.1f} MB"


def _more(all_: Sequence[object], shown: Sequence[object]) -> str:
    more = len(all_) - len(shown)
    return element("div", f"and {more} more") if more else ""
