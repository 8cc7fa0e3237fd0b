"""Commands that do several things: what to say, and which exit code, when some fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoohub.cli.output import Output
from zoohub.errors import ZoohubError

PARTLY = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """One item that failed, and why."""

    item: str
    error: ZoohubError


def exit_code(failures: Sequence[Failure], succeeded: int) -> int:
    """0 for all, 3 for some, else the first failure's own code."""
    if not failures:
        return 0
    return PARTLY if succeeded else failures[0].error.exit_code


def report(failures: Sequence[Failure], succeeded: int, output: Output) -> None:
    """One line for each failure, and a summary where there was more than one item."""
    for failure in failures:
        text = str(failure.error)
        output.error(text if failure.item in text else f"{failure.item}: {text}")
    if failures and succeeded + len(failures) > 1:
        output.talk(f"{succeeded} done, {len(failures)} failed")
