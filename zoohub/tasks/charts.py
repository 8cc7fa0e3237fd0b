"""Charts as SVG text: small, sharp and without another dependency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_INK, _GRID = "#333", "#ddd"
_COLOURS = ("#1f77b4", "#d62728")  # of a panel's first and second line


def learning_curve(
    curve: Mapping[str, Mapping[str, str]], history: Sequence[Mapping[str, float | None]]
) -> str:
    """The panels of a run: `curve` names the figures of an epoch that each panel's lines show; what
    no epoch has is left out."""
    kept = {key for line in history for key in line}
    return curves(
        {
            title: {name: [line.get(key) for line in history] for name, key in lines.items()}
            for title, lines in curve.items()
            if kept.issuperset(lines.values())
        }
    )


def curves(panels: Mapping[str, Mapping[str, Sequence[float | None]]]) -> str:
    """SVG of panels side by side, by title: each has up to two named lines of a value an epoch.

    None is an epoch without a value: the line goes on at the next that has one.
    """
    parts = [_panel(title, series, 400 * i) for i, (title, series) in enumerate(panels.items())]
    return _svg(400 * len(parts), 300, "".join(parts))


def confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Rows are labels, columns predictions; darker is a larger part of the row."""
    size = len(classes)
    cell = max(6, min(40, 560 // size))
    margin = 20 + min(160, 7 * max(len(name) for name in classes))
    width = margin + cell * size + 20
    totals = np.maximum(1, counts.sum(1))
    marks = []
    for i in range(size):
        for j in range(size):
            if not counts[i, j]:
                continue
            part = counts[i, j] / totals[i]
            colour = f"rgba({'31,119,180' if i == j else '214,39,40'},{max(0.08, part):.2f})"
            x, y = margin + j * cell, margin + i * cell
            marks.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{colour}"/>')
            if cell >= 20:
                tone = "#fff" if part > 0.6 else _INK
                marks.append(
                    _text(x + cell / 2, y + cell / 2 + 4, str(counts[i, j]), "middle", tone)
                )
    if cell >= 10:
        for i, name in enumerate(classes):
            short = name if len(name) <= 22 else name[:21] + "…"
            middle = margin + i * cell + cell / 2
            marks.append(_text(margin - 6, middle + 4, short, "end"))
            turn = f'transform="rotate(-90 {middle + 4} {margin - 6})"'
            marks.append(_text(middle + 4, margin - 6, short, "start", _INK, turn))
    frame = (
        f'<rect x="{margin}" y="{margin}" width="{cell * size}" height="{cell * size}" '
        f'fill="none" stroke="{_GRID}"/>'
    )
    return _svg(width, width, frame + "".join(marks))


def _panel(title: str, series: Mapping[str, Sequence[float | None]], left: float) -> str:
    x0, x1, y0, y1 = left + 50, left + 380, 260, 40
    values = [v for line in series.values() for v in line if v is not None and math.isfinite(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    count = max(len(line) for line in series.values())

    def place(i: int, value: float) -> str:
        x = x0 + (x1 - x0) * (i / (count - 1) if count > 1 else 0.5)
        return f"{x:.1f},{y0 + (y1 - y0) * (value - low) / (high - low):.1f}"

    marks = [_text((x0 + x1) / 2, 20, title, "middle")]
    for step in range(5):
        value = low + (high - low) * step / 4
        y = y0 + (y1 - y0) * step / 4
        marks.append(f'<line x1="{x0}" y1="{y}" x2="{x1}" y2="{y}" stroke="{_GRID}"/>')
        marks.append(_text(x0 - 6, y + 4, f"{value:.3g}", "end"))
    marks.append(_text(x0, y0 + 18, "epoch 1", "start"))
    marks.append(_text(x1, y0 + 18, str(count), "end"))
    for shown, ((name, line), colour) in enumerate(zip(series.items(), _COLOURS, strict=False)):
        points = [place(i, v) for i, v in enumerate(line) if v is not None and math.isfinite(v)]
        if not points:
            continue
        marks.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        end_x, end_y = points[-1].split(",")
        marks.append(f'<circle cx="{end_x}" cy="{end_y}" r="3" fill="{colour}"/>')
        marks.append(_text(x0 + 90 + 90 * shown, y0 + 34, name, "start", colour))
    return "".join(marks)


def _text(x: float, y: float, text: str, anchor: str, colour: str = _INK, extra: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" {extra}>'
        f"{escape(text)}</text>"
    )


def _svg(width: float, height: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/>{body}</svg>\n'
    )
