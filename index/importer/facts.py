"""The facts files as rows: one per published URL, with what each publisher says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError

Row = dict[str, Any]

# Repository -> publisher. The model zoo moved from one repository to the other in 2021.
_PUBLISHERS = {
    "gitee.com/mindspore/models": "models",
    "gitee.com/mindspore/mindspore": "models",
    "github.com/mindspore-ai/models": "models",
}
_LABS = "github.com/mindspore-lab/"


@dataclass(frozen=True)
class Facts:
    """Everything that is imported: URLs, the labs' model lists, Hub pages without a file."""

    rows: tuple[Row, ...]
    mindcv: Mapping[str, Row]
    mindyolo: Mapping[str, Row]
    others: Mapping[str, Row]
    pages: tuple[Row, ...]


def read_facts(folder: Path) -> Facts:
    """Read the facts folder. Raises ManifestError where a file is missing or malformed."""
    mindcv = _read(folder / "mindcv_models.jsonl")
    mindyolo = _read(folder / "mindyolo_models.jsonl")
    others = _read(folder / "other_models.jsonl")
    return Facts(
        rows=tuple(sorted(_read(folder / "checkpoints.jsonl"), key=lambda row: str(row["url"]))),
        mindcv={row["name"]: row for row in mindcv},
        mindyolo={row["name"]: row for row in mindyolo},
        others={row["url"]: row for row in others if row.get("url")},
        pages=tuple(_read(folder / "hub_entries_without_checkpoint.jsonl")),
    )


def _read(file: Path) -> list[Row]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ManifestError(f"{file} is not JSON lines: {error}") from None


def publisher_of(entry: Row) -> str:
    """Who published a file: a lab's short name, `models` for the model zoo's repository."""
    repository = entry.get("repo") or ""
    if repository in _PUBLISHERS:
        return _PUBLISHERS[repository]
    if repository.startswith(_LABS):
        return str(repository[len(_LABS) :])
    uid = str(entry["uid"])
    return "models" if uid.startswith(("mindspore/", "noah-cvlab/")) else uid.split("/")[0]
