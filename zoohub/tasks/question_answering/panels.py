"""What a run shows of its answers."""

from __future__ import annotations

from html import escape

from zoohub.core.elements import table
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.question_answering.recipe import AnsweringRecipe
from zoohub.tasks.question_answering.rows import Passage
from zoohub.tasks.question_answering.squad import Truth

_SHOWN = 20
_LONGEST = 300  # characters of a context


def answering_panels(finished: Finished[AnsweringRecipe, Truth]) -> Panels:
    """The figures, and some contexts with the right answers and those found."""
    if finished.figures is None:
        return Panels()
    figures = finished.figures
    titles = {"exact match": f"{figures['exact_match']:.4f}", "F1": f"{figures['f1']:.4f}"}
    rows = []
    for place, found in finished.predict(_SHOWN):
        passage, truth = finished.samples.inputs[place], finished.samples.targets[place]
        assert isinstance(passage, Passage)
        context = passage.text or " ".join(map(str, passage.context))
        said = found[0].line() if found else "(no answer)"
        rows.append([context[:_LONGEST], "; ".join(truth.texts) or "(no answer)", said])
    heading = f"<h2>Answers ({escape(finished.part)})</h2>"
    sections = [heading, table(["context", "right", "found"], rows)] if rows else []
    return Panels(titles, sections)
