"""`LICENCES.txt`: under which terms each checkpoint of a mirror may be used."""

from __future__ import annotations

from collections.abc import Iterable

from zoohub.manifest.entry import Entry

_HEAD = """Licences and dataset terms of the checkpoints in this mirror

Every checkpoint has its publisher's licence, and the terms of the data it was trained on hold
beside it: a model trained on data for research only is for research only. "unknown" means that
the publisher states nothing; ask before you pass the file on.
"""


def licences_text(entries: Iterable[Entry]) -> str:
    """The file's content: one paragraph for each checkpoint, in the order given."""
    parts = [_HEAD]
    for entry in entries:
        for checkpoint in entry.checkpoints:
            repositories = sorted({r.repository for r in checkpoint.records if r.repository})
            lines = [
                checkpoint.reference,
                f"  licence: {checkpoint.licence or 'unknown'}",
                f"  dataset: {checkpoint.dataset or 'unknown'}",
                f"  dataset terms: {checkpoint.dataset_terms or 'unknown'}",
                *(f"  published by: {repository}" for repository in repositories),
                *(f"  from: {url}" for url in checkpoint.sources[:1]),
            ]
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
