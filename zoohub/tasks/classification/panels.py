"""What a classifier's run shows: confusion, classes, the worst mistakes as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from zoohub.inputs.picture.image import open_image
from zoohub.tasks.charts import confusion_matrix
from zoohub.tasks.classification.metric import Classification
from zoohub.tasks.classification.recipe import ClassificationRecipe
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import class_table, figure
from zoohub.tasks.pictures import encoded
from zoohub.tasks.samples import Samples

_STYLE = """
figure { width: 8rem }
figure img { width: 8rem; height: 8rem; object-fit: contain; background: #eee }
figure img { image-rendering: pixelated }
"""


def classification_panels(finished: Finished[ClassificationRecipe, int]) -> Panels:
    """The confusion matrix, the classes and the worst mistakes, where something was measured."""
    result, classes = finished.metric, finished.classes
    if not isinstance(result, Classification):
        return Panels(style=_STYLE)
    top5 = {"top-5": f"{result.top(5):.4f}"} if len(classes) > 5 else {}
    matrix = confusion_matrix(result.confusion, classes)
    return Panels(
        {"top-1": f"{result.top(1):.4f}", **top5, "loss": f"{result.loss:.4f}"},
        [
            f"<h2>Confusion matrix ({escape(finished.part)})</h2>",
            "<p>Rows are the labels, columns the predictions.</p>",
            matrix,
            "<h2>Classes</h2>",
            _class_table(result, classes),
            "<h2>Worst mistakes</h2>",
            _mistakes(result, finished.samples, classes),
        ],
        _STYLE,
        {"confusion.svg": matrix},
    )


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
    result: Classification, samples: Samples[int], classes: Sequence[str], most: int = 24
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


def _thumbnail(samples: Samples[int], place: int) -> tuple[bytes, str]:
    image, size = samples.inputs[place], (160, 160)
    if isinstance(image, np.ndarray):
        picture = Image.fromarray(image).convert("RGB")
    else:  # as the network saw it: upright, on white, 16 bits brought down to 8
        picture = open_image(Path(str(image)), at_least=size)
    picture.thumbnail(size)
    return encoded(picture)
