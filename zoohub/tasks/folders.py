"""What the folders of tasks say of themselves in their `__init__.py`, which imports neither a task
nor NumPy."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zoohub import tasks


@dataclass(frozen=True, slots=True)
class Folder:
    """What a task serves and shares of what the index calls its networks, and whether it has a loss
    that fits all of them; else a family brings its own."""

    serves: tuple[str, ...]
    shares: tuple[str, ...]
    has_loss: bool


@cache
def task_folders() -> dict[str, Folder]:
    """Every task's, by the folder's name. (To import all tasks takes 0.15 s.)"""
    homes = (Path(home) for home in tasks.__path__)
    names = sorted({file.parent.name for home in homes for file in home.glob("*/task.py")})
    modules = {name: importlib.import_module(f"zoohub.tasks.{name}") for name in names}
    return {
        name: Folder(at.SERVES, getattr(at, "SHARES", ()), getattr(at, "HAS_LOSS", False))
        for name, at in modules.items()
    }


def has_loss(name: str) -> bool:
    """Whether the task that serves what the index files under `name` has a loss of its own."""
    return any(name in folder.serves and folder.has_loss for folder in task_folders().values())
