"""What the workers have to tell, passed on to the process that the user looks at.

Workers write to log files; beside them is `events.jsonl`, one event a line: the first worker's
progress, and the error of any that failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoohub.core.json_reader import parse_own
from zoohub.training.options import Listeners
from zoohub.training.reports import EpochReport, StepReport


class EventWriter:
    """Appends events to a file; every line is whole once it is there."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def step(self, report: StepReport) -> None:
        """A step is done."""
        self._write({"step": asdict(report)})

    def epoch(self, report: EpochReport) -> None:
        """An epoch is done."""
        self._write({"epoch": asdict(report)})

    def say(self, text: str) -> None:
        """A sentence for the user."""
        self._write({"say": text})

    def fail(self, error: Exception) -> None:
        """The worker ends with `error`."""
        self._write({"error": [type(error).__name__, str(error)]})

    def _write(self, event: Mapping[str, object]) -> None:
        self._file.write(json.dumps(event) + "\n")


class EventReader:
    """Passes on what has come since the last `poll`."""

    def __init__(self, path: Path, listeners: Listeners) -> None:
        self.path, self.listeners = path, listeners
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
            self._pass_on(parse_own(line))

    def _pass_on(self, event: dict[str, Any]) -> None:
        if "say" in event:
            self.listeners.say(event["say"])
        elif "error" in event:
            name, text = event["error"]
            self.error = self.error or (name, text)
        elif "step" in event and self.listeners.on_step:
            self.listeners.on_step(StepReport(**event["step"]))
        elif "epoch" in event and self.listeners.on_epoch:
            report = event["epoch"]
            self.listeners.on_epoch(
                EpochReport(**{**report, "headline": tuple(report["headline"])})
            )
