"""One input of several, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """One input: its name in the results, and its value (what the task's `prepare` takes) or what
    is wrong with it."""

    name: str
    value: Any = None
    error: str | None = None
