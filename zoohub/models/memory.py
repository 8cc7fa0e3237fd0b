"""Whether a network's parameters fit into this machine, asked before anything is fetched.

The estimate is the parameters' own bytes: four for each parameter that the index counts, else the
size of the published file. What computing takes comes on top, and is not guessed. It is held
against all the memory there is for this process, not what happens to be free: other programs
come and go, and published weights are mapped, so that the system can put them aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.notes import note
from zoohub.errors import NotEnoughMemory
from zoohub.manifest.entry import Checkpoint, Entry

_FLOAT32 = 4
# As a cgroup without a limit says it: the largest number of bytes, in whole pages.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes: all that this process may have, by the machine and its container; what is free."""

    total: int
    free: int | None = None


def needed_bytes(entry: Entry, checkpoint: Checkpoint | None) -> int | None:
    """The bytes of a network's parameters; None where the index does not know."""
    if entry.parameter_count:
        return _FLOAT32 * entry.parameter_count
    return checkpoint.size if checkpoint is not None and checkpoint.size else None


def machine_memory(root: Path = Path("/")) -> Memory | None:
    """What /proc/meminfo and the limits of the cgroups (versions 1 and 2) under `root` leave;
    None where there is no such thing (not on Linux)."""
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        facts = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
        total = facts["MemTotal"]
    except (OSError, ValueError, LookupError):
        return None
    free = facts.get("MemAvailable")
    for limit in _limits(root):
        total = min(total, limit)
    return Memory(total, None if free is None else min(free, total))


def check_memory(
    entry: Entry, checkpoint: Checkpoint | None, force: bool, memory: Memory | None = None
) -> None:
    """Refuse what cannot fit, and say so where it takes more than half of all there is.

    Raises:
        NotEnoughMemory: the parameters are larger than `memory` (None: this machine's), and
            `force` does not say to go on.
    """
    needed, memory = needed_bytes(entry, checkpoint), memory or machine_memory()
    if needed is None or memory is None or needed <= memory.total // 2:
        return
    name = checkpoint.reference if checkpoint is not None else entry.model
    said = f"{name} needs {amount(needed)} of memory for its parameters alone; this machine"
    if needed > memory.total and not force:
        raise NotEnoughMemory(
            f"{said} has {amount(memory.total)} for it. Nothing was fetched. Choose a smaller "
            "model, or go on all the same with force=True (--force)"
        )
    note(f"{said} has {amount(memory.total)}")


def memory_line(entry: Entry, checkpoint: Checkpoint | None) -> str | None:
    """What `zoohub info` says; None where the index does not know."""
    needed, memory = needed_bytes(entry, checkpoint), machine_memory()
    if needed is None:
        return None
    line = f"{amount(needed)} for the parameters"
    if memory is not None and needed > memory.total:
        line += f": does not fit this machine, which has {amount(memory.total)}"
    return line


def amount(size: int) -> str:
    """`98 MB`, in decimal units as sizes of files are."""
    for unit, power in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= power:
            return (
                f"{size / power:.3g} {unit}" if size < 1000 * power else f"{size // power} {unit}"
            )
    return counted(size, "byte")


def _limits(root: Path) -> list[int]:
    """The limits of this process's cgroups and of all above them."""
    folders = {root / "sys/fs/cgroup", root / "sys/fs/cgroup/memory"}
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, place = [*line.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        base = root / "sys/fs/cgroup" / controllers
        inner = base / place.strip("/")
        folders.update(folder for folder in (inner, *inner.parents) if base in folder.parents)
    found = []
    for folder in folders:
        for name in ("memory.max", "memory.limit_in_bytes"):
            try:
                text = (folder / name).read_text(encoding="ascii").strip()
            except OSError:
                continue
            if text.isdigit() and 0 < int(text) < _NO_LIMIT:
                found.append(int(text))
    return found
