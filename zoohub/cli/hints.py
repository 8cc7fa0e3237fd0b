"""Commands that come next, for copying."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoohub.manifest.entry import InputContract
    from zoohub.tasks.contract import AnyTask


def as_name(path: str | os.PathLike[str]) -> str:
    """A run's folder as a command takes it: no model's name looks so, and a shell reads it as one
    word."""
    text = os.fspath(path)
    return shlex.quote(text if text.startswith(("/", ".", "~")) else f"./{text}")


def predict_command(name: str, input: str, task: AnyTask, contract: InputContract | None) -> str:
    """The command that predicts `input` with a network of that task, with what it must be told
    besides."""
    told = " --question STRING" if task.asked else ""
    text = None if contract is None else contract.text
    if text is not None and text.shipped_vocabulary is None:
        told += " --vocab FILE"
    return f"zoohub predict {name} {input}{told}"
