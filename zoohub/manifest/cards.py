"""How a notebook shows what the index says: tables of so many rows, and numbers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoohub.core.elements import element, table

MOST_ROWS = 100


def rows_of(header: Sequence[str], rows: Sequence[Sequence[object]], there: int) -> tuple[str, str]:
    """A table of the rows that are shown, as HTML, and how many more of those `there` are."""
    more = there - len(rows)
    shown = [["" if value is None else value for value in row] for row in rows]
    return table(header, shown), element("div", f"and {more} more") if more else ""


def figures(metrics: Mapping[str, float]) -> str:
    """Metrics on one line."""
    return ", ".join(f"{name} {value:g}" for name, value in metrics.items())


def megabytes(size: int | None) -> str | None:
    """A size in bytes, as people read it; None where it is not known."""
    return None if size is None else f"{size / 1e6:,.1f} MB"
