"""What a text classifier's run shows: confusion, classes, and the worst mistakes."""

from __future__ import annotations

from html import escape

import numpy as np

from zoohub.core.elements import table
from zoohub.inputs.text import Sentence
from zoohub.tasks.charts import confusion_matrix
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import class_table
from zoohub.tasks.text_classification.metric import TextClassification
from zoohub.tasks.text_classification.recipe import TextClassificationRecipe

_SHOWN = 24
_LONGEST = 300  # characters of a text


def text_panels(finished: Finished[TextClassificationRecipe, int]) -> Panels:
    """The figures, the confusion matrix, the classes and the worst mistakes, if measured."""
    result, classes = finished.metric, finished.classes
    if not isinstance(result, TextClassification):
        return Panels()
    figures = result.figures()  # a run does not keep all of them
    matrix = confusion_matrix(result.confusion, classes)
    each = [
        (name, (str(count), "–" if score is None else f"{score:.3f}"))
        for (name, score), count in zip(
            figures["per_class"].items(), result.confusion.sum(1), strict=True
        )
    ]
    return Panels(
        {key: f"{figures[name]:.4f}" for key, name in (("accuracy", "acc"), ("F1", "f1"))},
        [
            f"<h2>Confusion matrix ({escape(finished.part)})</h2>",
            "<p>Rows are the labels, columns the predictions.</p>",
            matrix,
            "<h2>Classes</h2>",
            class_table(("class", "texts", "F1"), each),
            "<h2>Worst mistakes</h2>",
            _mistakes(finished, result),
        ],
        files={"confusion.svg": matrix},
    )


def _mistakes(finished: Finished[TextClassificationRecipe, int], result: TextClassification) -> str:
    wrong = np.flatnonzero(result.predicted != result.labels)
    worst = wrong[np.argsort(-result.losses[wrong], kind="stable")][:_SHOWN]
    if not len(worst):
        return "<p>None.</p>"
    rows = [
        [
            told(finished.samples.inputs[place])[:_LONGEST],
            finished.classes[result.labels[place]],
            finished.classes[result.predicted[place]],
        ]
        for place in worst
    ]
    return table(["text", "label", "taken for"], rows)


def told(sentence: object) -> str:
    """A text, or its token ids."""
    assert isinstance(sentence, Sentence)
    return sentence.text or " ".join(map(str, sentence.ids or ()))
