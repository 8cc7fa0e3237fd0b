"""Who owns an unfinished download, told so that others can prove the owner dead.

The proof needs Linux: the boot, the pid namespace, the process and its start time are all in
`/proc`. Elsewhere nobody is ever proven dead; a stale download is then copied, not taken over,
which costs the copy and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

UNKNOWN = "unknown"
_FORM = re.compile(r"(?P<host>[\w~]+)-(?P<boot>\w+)-(?P<pid>\d+)-(?P<start>\d+)-(?P<claim>\w+)")


@dataclass(frozen=True, slots=True)
class Owner:
    """A claim by one process; `claim` tells two claims of the same process apart."""

    host: str
    boot: str
    pid: int
    start: int
    claim: str

    def __str__(self) -> str:
        return f"{self.host}-{self.boot}-{self.pid}-{self.start}-{self.claim}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner a file's name tells of, or None where it tells of none."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        return cls(
            match["host"], match["boot"], int(match["pid"]), int(match["start"]), match["claim"]
        )


def this_owner() -> Owner:
    """A new claim of the running process."""
    host = re.sub(r"\W", "~", socket.gethostname(), flags=re.ASCII)[:64] or UNKNOWN
    status = _process(os.getpid())
    return Owner(host, boot_id(), os.getpid(), status[1] if status else 0, secrets.token_hex(4))


def provably_dead(owner: Owner, here: Owner) -> bool:
    """Whether `owner`'s process is certainly gone, seen from `here`: same host, same boot."""
    if owner.boot == UNKNOWN or (owner.host, owner.boot) != (here.host, here.boot):
        return False
    status = _process(owner.pid)
    # A zombie keeps its pid and never runs again; another start time is another process.
    return status is None or status[0] in "ZX" or status[1] != owner.start


def boot_id() -> str:
    """Names this boot of this machine as this container sees it; `unknown` off Linux."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers share the host's boot, and often its name, but not its process numbers.
        namespace = str(Path("/proc/self/ns/pid").readlink())
        Path("/proc/self/stat").read_bytes()
    except OSError:
        return UNKNOWN
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:16]


def _process(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process; None where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything; the fields after it are fixed.
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[19])
