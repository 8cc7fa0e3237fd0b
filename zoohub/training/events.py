"""What the workers have to tell, passed on to the process that the user looks at.

Workers write to log files; beside them is `events.jsonl`, one event a line: the first worker's
progress, and the error of any that failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any


class EventWriter:
    """Appends events to a file; every line is whole once it is there."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def step(self, report: Any) -> None:
        """A step is done; `report` is a dataclass, as is an epoch's."""
        self._write({"step": asdict(report)})

    def epoch(self, report: Any) -> None:
        """An epoch is done."""
        self._write({"epoch": asdict(report)})

    def say(self, text: str) -> None:
        """A sentence for the user."""
        self._write({"say": text})

    def fail(self, error: Exception) -> None:
        """The worker ends with `error`."""
        self._write({"error": [type(error).__name__, str(error)]})

    def _write(self, event: dict[str, Any]) -> None:
        self._file.write(json.dumps(event) + "\n")


class EventReader:
    """Passes on what has come since the last `poll`; `reports` are the two reports' types."""

    def __init__(
        self,
        path: Path,
        *,
        on_step: Callable[[Any], object] | None,
        on_epoch: Callable[[Any], object] | None,
        say: Callable[[str], object],
        reports: tuple[type, type],
    ) -> None:
        self.path, self.reports = path, reports
        self.on_step, self.on_epoch, self.say = on_step, on_epoch, say
        self._read = 0
        self.error: tuple[str, str] | None = None  # the first one's type and text

    def poll(self) -> None:
        """Read on; a line that is still being written waits for the next time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self._pass_on(json.loads(line))

    def _pass_on(self, event: dict[str, Any]) -> None:
        if "say" in event:
            self.say(event["say"])
        elif "error" in event:
            name, text = event["error"]
            self.error = self.error or (name, text)
        elif "step" in event and self.on_step:
            self.on_step(self.reports[0](**event["step"]))
        elif "epoch" in event and self.on_epoch:
            self.on_epoch(self.reports[1](**event["epoch"]))
