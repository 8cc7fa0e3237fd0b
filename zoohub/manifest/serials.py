"""The highest serial seen of each signed file, so that nobody can serve an older one again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import change, read_or_none
from zoohub.core.json_reader import parse_json
from zoohub.core.notes import note
from zoohub.errors import ManifestError


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest serial that was accepted, and the SHA-256 of the file that had it (None where an
    earlier zoohub noted it)."""

    serial: int
    sha256: str | None = None


def refuse_rollback(serial: int, seen: Seen | None, what: str, sha256: str | None = None) -> None:
    """Refuse what is older than what was seen before, and other bytes under the same serial.

    Raises:
        ManifestError: which of the two it is.
    """
    if seen is None or serial > seen.serial:
        return
    if serial < seen.serial:
        raise ManifestError(
            f"{what} has serial {serial}, but serial {seen.serial} was seen before: an older state "
            "is being served again; refused. If the mirror was restored from a backup on purpose, "
            "have it synced and signed anew"
        )
    if None not in (sha256, seen.sha256) and sha256 != seen.sha256:
        raise ManifestError(
            f"{what} has serial {serial} as one seen before, and other bytes (SHA-256 {sha256}, "
            f"it was {seen.sha256}); refused. Have the mirror synced and signed anew"
        )


def last_seen(home: Path, location: str) -> Seen | None:
    """What this machine has accepted last from `location` (a URL), None if nothing yet."""
    file = _file(home, location)
    try:
        data = read_or_none(file)
    except OSError:
        return None
    seen = _parsed(data)
    if data is not None and seen is None:
        note(f"{file} is damaged and made again: an older {location} would go unnoticed this once")
    return seen


def remember(home: Path, location: str, serial: int, sha256: str | None = None) -> None:
    """Remember the serial, unless a higher one is known.

    Raises:
        ManifestError: the folder cannot be written, so that a later rollback would go unnoticed.
    """
    file = _file(home, location)
    content = {"location": location, "serial": serial, "sha256": sha256}

    def newer(before: bytes | None) -> bytes:
        known = _parsed(before)
        if before is None or known is None or known.serial < serial:
            return json.dumps(content).encode()
        return before

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        change(file, newer)
    except OSError as error:
        raise ManifestError(
            f"cannot note in {file} that serial {serial} of {location} was seen: {error.strerror}"
        ) from error


def _file(home: Path, location: str) -> Path:
    return home / "trust" / f"{hashlib.sha256(location.encode()).hexdigest()}.json"


def _parsed(data: bytes | None) -> Seen | None:
    try:
        content = parse_json(data, "serial") if data else None
    except ManifestError:
        return None
    if not isinstance(content, dict):
        return None
    serial, sha256 = content.get("serial"), content.get("sha256")
    if type(serial) is not int:
        return None
    return Seen(serial, sha256 if isinstance(sha256, str) else None)
