"""The page a run leaves behind: one HTML file that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from zoohub.training.data.samples import Samples, Splits
from zoohub.training.metrics import Classification
from zoohub.training.page import class_table, ending, facts, figure, html_page, notes_list
from zoohub.training.pictures import confusion_matrix, learning_curve
from zoohub.training.recipe import Recipe
from zoohub.vision.image import open_image

_STYLE = """
figure { width: 8rem }
figure img { width: 8rem; height: 8rem; object-fit: contain; background: #eee }
figure img { image-rendering: pixelated }
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
    figures = {} if result is None else _figures(result, len(splits.classes))
    counts = [len(splits.train), len(splits.validation), len(splits.test)]
    body = [facts(recipe, len(splits.classes), counts, figures, part), *notes_list(warnings)]
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
    return html_page(name, [*body, *ending(recipe, splits.skipped)], _STYLE)


def _figures(result: Classification, classes: int) -> dict[str, str]:
    top5 = {"top-5": f"{result.top(5):.4f}"} if classes > 5 else {}
    return {"top-1": f"{result.top(1):.4f}", **top5, "loss": f"{result.loss:.4f}"}


def _class_table(result: Classification, classes: Sequence[str]) -> str:
    counts = result.confusion
    rows = []
    for i, name in enumerate(classes):
        total, found, right = counts[i].sum(), counts[:, i].sum(), counts[i, i]
        recall = f"{right / total:.3f}" if total else "–"
        precision = f"{right / found:.3f}" if found else "–"
        rows.append((name, (str(total), recall, precision)))
    return class_table(("class", "pictures", "recall", "precision"), rows)


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
        caption = (f"{label}, taken for {guess}", samples.names[i])
        figures.append(figure(*_thumbnail(samples, int(i)), caption))
    return "".join(figures)


def _thumbnail(samples: Samples, place: int) -> tuple[bytes, str]:
    image, size = samples.images[place], (160, 160)
    if isinstance(image, np.ndarray):
        picture = Image.fromarray(image).convert("RGB")
    else:  # as the network saw it: upright, on white, 16 bits brought down to 8
        picture = open_image(image, at_least=size)
    picture.thumbnail(size)
    out = io.BytesIO()
    small = picture.width <= 64
    picture.save(out, "PNG" if small else "JPEG")
    return out.getvalue(), "png" if small else "jpeg"
