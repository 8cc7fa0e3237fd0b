"""What facts say and an index does not: the work list after a newer facts file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importer.facts import Facts
from zoohub.manifest.build import compile_folder


@dataclass(frozen=True)
class FactsDifference:
    """URLs and published names that only one side has, and values that differ for a record
    both have: (model@id, what, facts, index)."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    changed: tuple[tuple[str, str, Any, Any], ...]

    @property
    def any(self) -> bool:
        """Whether the facts hold something the index lacks or contradicts."""
        return bool(self.missing or self.changed)


def compare(facts: Facts, index: Path) -> FactsDifference:
    """Compare record by record. Raises ManifestError if the index is malformed."""
    records: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any], str]] = {}
    for model in compile_folder(index):
        for checkpoint in model.get("checkpoints", ()):
            name = f"{model['model']}@{checkpoint['id']}"
            for record in checkpoint.get("records", ()):
                records[record["url"], record["uid"]] = (checkpoint, record, name)
    missing, changed = [], []
    seen = set()
    for row in facts.rows:
        for entry in row["entries"]:
            key = (row["url"], entry["uid"])
            seen.add(key)
            if key not in records:
                missing.append(f"{entry['uid']} {row['url']}")
                continue
            checkpoint, record, name = records[key]
            declared = checkpoint.get("sha256") or checkpoint.get("doubtful_sha256")
            pairs = (
                ("sha256", row["sha256"] or row.get("sha256_invalid"), declared),
                ("format", row["format"], checkpoint["format"]),
                ("dataset", entry["dataset"], record.get("dataset")),
                ("metrics", entry["metrics"], record.get("metrics") or {}),
                ("mindspore", entry["mindspore_version"], record.get("mindspore")),
                ("repository", entry["repo"], record.get("repository")),
                ("ref", entry["repo_ref"], record.get("ref")),
                ("path", entry["repo_path"], record.get("path")),
            )
            changed += [(name, what, fact, ours) for what, fact, ours in pairs if fact != ours]
            if row["sha256_prefix"] and not row["sha256"]:
                ours = checkpoint.get("sha256_prefix") or checkpoint.get("doubtful_sha256")
                if ours != row["sha256_prefix"]:
                    changed.append((name, "sha256_prefix", row["sha256_prefix"], ours))
    extra = [f"{uid} {url}" for url, uid in sorted(set(records) - seen)]
    return FactsDifference(tuple(missing), tuple(extra), tuple(changed))


def describe(difference: FactsDifference) -> Iterator[str]:
    """The difference as lines for people."""
    for text in difference.missing:
        yield f"only in the facts: {text}"
    for text in difference.extra:
        yield f"only in the index: {text}"
    for name, what, fact, ours in difference.changed:
        yield f"{name}: {what}: facts {fact!r}, index {ours!r}"
    yield (
        f"{len(difference.missing)} only in the facts, {len(difference.extra)} only in the index, "
        f"{len(difference.changed)} differences"
    )
