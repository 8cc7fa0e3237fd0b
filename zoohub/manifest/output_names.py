"""What a checkpoint's file is called outside the store: `<model>-<id>.<ext>`, as no other is."""

from __future__ import annotations

import hashlib

from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.index import Index


def output_name(checkpoint: Checkpoint, extension: str, index: Index) -> str:
    """The file's name. `a-b@c` and `a@b-c` would share one, and so would `net@x` and `Net@x` where
    the file system knows no case: then it is `<model>@<id>-<hash of both>.<ext>`, since no model's
    name holds an `@`."""
    model, id = checkpoint.model, checkpoint.id
    if not _is_shared(model, id, index):
        return f"{model}-{id}.{extension}"
    digest = hashlib.sha256(f"{model}@{id}".encode()).hexdigest()[:8]
    return f"{model}@{id}-{digest}.{extension}"


def _is_shared(model: str, id: str, index: Index) -> bool:
    """Whether another checkpoint of the index has the same `<model>-<id>`, letters' case aside."""
    name = f"{model}-{id}".lower()
    for at, letter in enumerate(name):
        if letter == "-":
            for other in index.models_called(name[:at]):
                ids = [c.id for c in index.entry(other).checkpoints]
                if any(
                    (other, found) != (model, id) and found.lower() == name[at + 1 :]
                    for found in ids
                ):
                    return True
    return False
