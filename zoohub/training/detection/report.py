"""The page a detector's run leaves behind, and its learning curve: nothing else is needed."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from zoohub.inference.results import Prediction
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.recipe import recipe_text
from zoohub.vision.draw import draw_boxes

_STYLE = """
body { font: 15px/1.5 sans-serif; color: #222; max-width: 60rem; margin: 2rem auto }
svg { max-width: 100%; height: auto } table { border-collapse: collapse }
td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums }
figure { display: inline-block; margin: .5rem; width: 18rem; vertical-align: top; font-size: 12px }
figure img { width: 18rem } pre { background: #f6f6f6; padding: 1rem; overflow-x: auto }
"""
_WIDTH, _HEIGHT, _MARGIN = 380, 220, 40
SHOWN = 12  # pictures on the page
_DRAWN = 320  # pixels: small pictures are enlarged to it


def box_curve(history: Sequence[Mapping[str, Any]]) -> str:
    """SVG: the loss by epoch, and beside it precision on the validation part."""
    panels = [
        _panel("loss", [("training", "#1f77b4", "loss")], history, 0),
        _panel(
            "precision (validation)",
            [("mAP@0.5", "#d62728", "validation_map50"), ("mAP", "#ff7f0e", "validation_map")],
            history,
            _WIDTH + 20,
        ),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH + 20} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">{"".join(panels)}</svg>'
    )


def _panel(
    title: str,
    lines: Sequence[tuple[str, str, str]],
    history: Sequence[Mapping[str, Any]],
    left: int,
) -> str:
    known = {
        key: [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
        for _, _, key in lines
    }
    values = [value for points in known.values() for _, value in points]
    top = max([*values, 1e-9]) if "loss" in known else 1.0
    last = max((row["epoch"] for row in history), default=1)
    width, height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN

    def at(epoch: float, value: float) -> str:
        x = left + _MARGIN + width * (epoch - 1) / max(1, last - 1)
        return f"{x:.1f},{_MARGIN + height * (1 - value / top):.1f}"

    marks = [f'<text x="{left + _MARGIN}" y="16" font-weight="bold">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = _MARGIN + height * (1 - share)
        marks.append(
            f'<line x1="{left + _MARGIN}" x2="{left + _MARGIN + width}" y1="{y}" y2="{y}" '
            f'stroke="#ddd"/><text x="{left + 4}" y="{y + 4}">{top * share:.2f}</text>'
        )
    marks.append(f'<text x="{left + _MARGIN}" y="{_HEIGHT - 8}">epoch 1 to {last}</text>')
    for place, (name, colour, key) in enumerate(lines):
        points = " ".join(at(*point) for point in known[key])
        if len(known[key]) == 1:
            centre = points.split(",")
            marks.append(f'<circle cx="{centre[0]}" cy="{centre[1]}" r="3" fill="{colour}"/>')
        marks.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        x = left + 160 + 80 * place
        marks.append(f'<text x="{x}" y="{_HEIGHT - 8}" fill="{colour}">{escape(name)}</text>')
    return "".join(marks)


def box_page(
    name: str,
    recipe: DetectionRecipe,
    splits: BoxSplits,
    history: Sequence[Mapping[str, Any]],
    part: str,
    figures: Mapping[str, Any] | None,
    samples: BoxSamples,
    shown: Sequence[Prediction],
) -> str:
    """HTML of a finished run; `figures` are those on `samples`, the part called `part`, of which
    `shown` are the first pictures' predictions."""
    body = [f"<h1>{escape(name)}</h1>", _table(recipe, splits, part, figures)]
    if splits.warnings:
        body.append("<ul>" + "".join(f"<li>{escape(w)}</li>" for w in splits.warnings) + "</ul>")
    body += ["<h2>Learning curve</h2>", box_curve(history)]
    if figures is not None:
        body += ["<h2>Classes</h2>", _class_table(figures["per_class"])]
    if shown:
        pictures = [_figure(samples, place, prediction) for place, prediction in enumerate(shown)]
        body += [f"<h2>What it finds ({escape(part)})</h2>", *pictures]
    if splits.skipped:
        rows = "".join(
            f"<tr><td>{escape(path)}</td><td>{escape(reason)}</td></tr>"
            for path, reason in list(splits.skipped.items())[:200]
        )
        body.append(f"<h2>Left out</h2><table>{rows}</table>")
    body.append(f"<h2>Recipe</h2><pre>{escape(recipe_text(recipe))}</pre>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head>\n<body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def _table(
    recipe: DetectionRecipe, splits: BoxSplits, part: str, figures: Mapping[str, Any] | None
) -> str:
    rows = [
        ("model", recipe.model + (f"@{recipe.checkpoint}" if recipe.checkpoint else "")),
        ("classes", str(len(splits.classes))),
        (
            "pictures",
            f"{len(splits.train)} training, {len(splits.validation)} validation, "
            f"{len(splits.test)} test",
        ),
    ]
    for key, title in (("map50", "mAP@0.5"), ("map75", "mAP@0.75"), ("map", "mAP@0.5:0.95")):
        if figures is not None:
            rows.append((f"{title} ({part})", f"{figures[key]:.4f}"))
    cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table>{cells}</table>"


def _class_table(per_class: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{row["boxes"]}</td>'
        f'<td class="n">{_number(row["map50"])}</td><td class="n">{_number(row["map"])}</td></tr>'
        for name, row in per_class.items()
    )
    head = "<tr><th>class</th><th>boxes</th><th>mAP@0.5</th><th>mAP</th></tr>"
    return f"<table>{head}{rows}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _figure(samples: BoxSamples, place: int, prediction: Prediction) -> str:
    from PIL import Image

    from zoohub.vision.image import read_image

    picture = Image.fromarray(read_image(samples.images[place]))
    ratio = max(1, round(_DRAWN / max(picture.size)))
    picture = picture.resize((picture.width * ratio, picture.height * ratio))
    labels = prediction.predictions
    boxes = [tuple(ratio * v for v in label.box) for label in labels if label.box is not None]
    drawn = draw_boxes(
        picture,
        boxes,  # type: ignore[arg-type]  # four numbers each
        [label.label for label in labels],
        [label.score for label in labels],
        [label.index for label in labels],
    )
    drawn.thumbnail((640, 640))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    data = base64.b64encode(out.getvalue()).decode()
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="">'
        f"<figcaption>{escape(samples.names[place])}: {len(boxes)} found, "
        f"{len(samples.boxes[place])} there</figcaption></figure>"
    )
