"""How strong a publisher's hash is. A module of its own, so that reading needs no schema."""

from __future__ import annotations

from zoohub.manifest.compiled import CheckpointRow
from zoohub.manifest.entry import Declared


def declared_strength(checkpoint: CheckpointRow) -> Declared:
    """How strong the publisher's hash is: `doubtful`, `sha256`, `prefix` or `none`."""
    if checkpoint.get("doubtful_sha256") is not None or checkpoint.get("doubtful"):
        return "doubtful"
    if checkpoint.get("sha256") is not None:
        return "sha256"
    return "prefix" if checkpoint.get("sha256_prefix") is not None else "none"
