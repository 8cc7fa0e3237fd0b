"""The page a run leaves behind: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from zoohub.training.data.samples import Samples, Splits
from zoohub.training.metrics import Classification
from zoohub.training.pictures import confusion_matrix, learning_curve
from zoohub.training.recipe import Recipe, recipe_text

_STYLE = """
body { font: 15px/1.5 sans-serif; color: #222; max-width: 60rem; margin: 2rem auto }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem }
svg { max-width: 100%; height: auto } table { border-collapse: collapse }
td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums }
figure { display: inline-block; margin: .5rem; width: 8rem; vertical-align: top; font-size: 12px }
figure img { width: 8rem; height: 8rem; object-fit: contain; background: #eee }
figure img { image-rendering: pixelated }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px }
"""


def report_page(
    name: str,
    recipe: Recipe,
    splits: Splits,
    history: Sequence[Mapping[str, Any]],
    part: str,
    result: Classification | None,
    samples: Samples,
    warnings: Sequence[str],
) -> str:
    """HTML of a finished run; `result` are the kept weights' on `samples`, the part called `part`.

    Holds the figures, the learning curve, the confusion matrix, the worst mistakes as pictures,
    what was left out of the data, and the recipe.
    """
    body = [f"<h1>{escape(name)}</h1>", _figures(recipe, splits, part, result)]
    notes = [*splits.warnings, *warnings]
    if splits.skipped:
        notes.append(f"{len(splits.skipped)} unreadable pictures were left out")
    if notes:
        body.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    body += ["<h2>Learning curve</h2>", learning_curve(history)]
    if result is not None:
        body += [
            f"<h2>Confusion matrix ({escape(part)})</h2>",
            "<p>Rows are the labels, columns the predictions.</p>",
            confusion_matrix(result.confusion, splits.classes),
            "<h2>Classes</h2>",
            _class_table(result, splits.classes),
            "<h2>Worst mistakes</h2>",
            _mistakes(result, samples, splits.classes),
        ]
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


def _figures(recipe: Recipe, splits: Splits, part: str, result: Classification | None) -> str:
    rows = [
        ("model", recipe.model + (f"@{recipe.checkpoint}" if recipe.checkpoint else "")),
        ("classes", f"{len(splits.classes)}"),
        (
            "pictures",
            f"{len(splits.train)} training, {len(splits.validation)} validation, "
            f"{len(splits.test)} test",
        ),
    ]
    if result is not None:
        rows.append((f"top-1 ({part})", f"{result.top(1):.4f}"))
        if len(splits.classes) > 5:
            rows.append((f"top-5 ({part})", f"{result.top(5):.4f}"))
        rows.append((f"loss ({part})", f"{result.loss:.4f}"))
    cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table>{cells}</table>"


def _class_table(result: Classification, classes: Sequence[str]) -> str:
    counts = result.confusion
    rows = []
    for i, name in enumerate(classes):
        total, found, right = counts[i].sum(), counts[:, i].sum(), counts[i, i]
        recall = f"{right / total:.3f}" if total else "–"
        precision = f"{right / found:.3f}" if found else "–"
        rows.append(
            f'<tr><td>{escape(name)}</td><td class="n">{total}</td>'
            f'<td class="n">{recall}</td><td class="n">{precision}</td></tr>'
        )
    head = "<tr><th>class</th><th>pictures</th><th>recall</th><th>precision</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _mistakes(
    result: Classification, samples: Samples, classes: Sequence[str], most: int = 24
) -> str:
    wrong = np.flatnonzero(result.predicted != result.labels)
    worst = wrong[np.argsort(-result.losses[wrong], kind="stable")][:most]
    if not len(worst):
        return "<p>None.</p>"
    figures = []
    for i in worst:
        label, guess = classes[result.labels[i]], classes[result.predicted[i]]
        figures.append(
            f'<figure><img src="{_thumbnail(samples, int(i))}" alt="">'
            f"<figcaption>{escape(label)}, taken for {escape(guess)}<br>"
            f"{escape(samples.names[i])}</figcaption></figure>"
        )
    return "".join(figures)


def _thumbnail(samples: Samples, place: int) -> str:
    image = samples.images[place]
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else Image.open(image)
    picture = picture.convert("RGB")
    picture.thumbnail((160, 160))
    out = io.BytesIO()
    small = picture.width <= 64
    picture.save(out, "PNG" if small else "JPEG")
    kind = "png" if small else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
