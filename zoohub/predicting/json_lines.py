"""Predictions as lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path

from zoohub.core.json_reader import parse_own
from zoohub.predicting.result_file import ResultFile, begins, foreign, open_bytes, put
from zoohub.tasks.results import AnyPrediction


class JsonLines(ResultFile):
    """A line an input, as `predict --json` has it."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        super().__init__(path)
        self._file = open_bytes(path, resume=resume)
        try:
            kept = 0
            for number, line in enumerate(self._file, 1):
                name = _input_of(line)
                if name is None:
                    if line.endswith(b"\n") or not begins(line, b'{"input": "'):
                        raise foreign(path, f"line {number} is no prediction")
                    break
                self.done[name] += 1
                kept += len(line)
            self._file.seek(kept)
            self._file.truncate()
        except BaseException:
            self._file.close()
            raise

    def write(self, prediction: AnyPrediction) -> None:
        """See `ResultFile`."""
        line = json.dumps(prediction.to_json()) + "\n"
        put(self._file, line, self.path)

    def finish(self) -> None:
        """See `ResultFile`."""

    def close(self) -> None:
        """See `ResultFile`."""
        self._file.close()


def _input_of(line: bytes) -> str | None:
    """The input that a line is of; None where it is no whole line of ours."""
    try:
        content = parse_own(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    name = content.get("input") if isinstance(content, dict) else None
    return name if isinstance(name, str) else None
