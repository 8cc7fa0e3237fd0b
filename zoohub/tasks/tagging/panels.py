"""What a tagger's run shows: its figures by type, and some texts with what it names."""

from __future__ import annotations

from html import escape

from zoohub.core.elements import table
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import class_table
from zoohub.tasks.tagging.conll import Tags
from zoohub.tasks.tagging.entities import entities
from zoohub.tasks.tagging.recipe import TaggingRecipe
from zoohub.tasks.tagging.rows import Words

_SHOWN = 20
_LONGEST = 300  # characters of a text


def tagging_panels(finished: Finished[TaggingRecipe, Tags]) -> Panels:
    """The figures, those of each type, and texts with what is named and what was to be."""
    if finished.metric is None:
        return Panels()
    figures = finished.metric.figures()  # a run does not keep all of them
    titles = {key: f"{figures[name]:.4f}" for key, name in
              (("F1", "f1"), ("precision", "precision"), ("recall", "recall"))}  # fmt: skip
    each = [
        (kind, ("–" if score is None else f"{score:.3f}",))
        for kind, score in figures["types"].items()
    ]
    rows = []
    for place, found in finished.predict(_SHOWN):
        words = finished.samples.inputs[place]
        assert isinstance(words, Words)
        tags = [finished.classes[tag] for tag in finished.samples.targets[place]]
        true = [f"{kind}: {_told(words, first, last)}" for kind, first, last in entities(tags)]
        said = [f"{one.label}: {one.text or f'{one.start}–{one.end - 1}'}" for one in found]
        told = words.text or " ".join(map(str, words.ids))
        rows.append([told[:_LONGEST], "; ".join(true), "; ".join(said)])
    sections = ["<h2>Types</h2>", class_table(("type", "F1"), each)]
    if rows:
        heading = f"<h2>What there was, and what it finds ({escape(finished.part)})</h2>"
        sections += [heading, table(["text", "named", "found"], rows)]
    return Panels(titles, sections)


def _told(words: Words, first: int, behind: int) -> str:
    start, end = words.spans[first][0], words.spans[behind - 1][1]
    return f"{start}–{end - 1}" if words.text is None else words.text[start:end]
