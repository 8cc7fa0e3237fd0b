"""Which engine computes: decided by what is asked and what the machine has."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from zoohub.core.atomic import open_new
from zoohub.core.notes import note
from zoohub.errors import UsageError, ZoohubError
from zoohub.settings import Settings

Engine = Literal["mindspore", "onnxruntime"]
WITHOUT = (
    "MindSpore computes; with onnxruntime (pip install 'zoohub[onnx]') later calls of a network do "
    "without importing MindSpore"
)


@dataclass(frozen=True)
class Machine:
    """What matters of a machine: whether onnxruntime is installed, and an Ascend processor."""

    onnxruntime: bool
    ascend: bool


@dataclass(frozen=True)
class Choice:
    """The engine; `required`: no other will do. `hint` is worth saying once."""

    engine: Engine
    required: bool = False
    hint: str | None = None


def this_machine() -> Machine:
    """The machine this runs on; neither MindSpore nor onnxruntime is imported."""
    ascend = any(Path("/dev").glob("davinci[0-9]*"))
    return Machine(find_spec("onnxruntime") is not None, ascend)


def choose_engine(asked: str, device: str | None, mode: str | None, machine: Machine) -> Choice:
    """The engine for a network that is named.

    `auto` is onnxruntime on a CPU that has it, unless `mode` asks something of MindSpore.

    Raises:
        UsageError: onnxruntime is asked for, and with it what only MindSpore can do.
        ZoohubError: it is asked for and not installed.
    """
    if asked == "mindspore":
        return Choice("mindspore", required=True)
    on_ascend = device.startswith("ascend") if device is not None else machine.ascend
    if asked == "onnxruntime":
        if mode is not None:
            raise UsageError(f"mode {mode!r} is MindSpore's; leave it out with engine onnxruntime")
        if device is not None and on_ascend:
            raise UsageError(f"onnxruntime computes on the CPU, not on device {device!r}")
        if not machine.onnxruntime:
            raise ZoohubError("the engine onnxruntime is not there: pip install 'zoohub[onnx]'")
        return Choice("onnxruntime", required=True)
    if on_ascend or mode is not None:
        return Choice("mindspore")
    if not machine.onnxruntime:
        return Choice("mindspore", hint=WITHOUT)
    return Choice("onnxruntime")


def check_file_engine(path: Path, engine: Engine, asked: str) -> None:
    """That an exported file can be run by what is asked for.

    Raises:
        UsageError: it is the other engine's.
    """
    if asked not in ("auto", engine):
        raise UsageError(f"{path.name} runs in {engine}, not in {asked}; leave the engine out")


def note_once(text: str, settings: Settings) -> None:
    """Say something once for each store; where that cannot be remembered, not at all."""
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder = settings.home / "said"
        folder.mkdir(parents=True, exist_ok=True)
        open_new(folder / name).close()
        note(text)
