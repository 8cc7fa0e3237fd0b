"""What a translator's run shows: BLEU, and some sentences beside what it makes of them."""

from __future__ import annotations

from html import escape

from zoohub.core.elements import table
from zoohub.inputs.text import Sentence
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.translation.parallel import Reference
from zoohub.tasks.translation.recipe import TranslationRecipe

_SHOWN = 20


def translation_panels(finished: Finished[TranslationRecipe, Reference]) -> Panels:
    """The figure, and a table of sentences, what was wanted, and what was found."""
    titles: dict[str, str] = {}
    if finished.figures is not None:
        titles = {"BLEU": f"{100 * finished.figures['bleu']:.2f}"}
    rows = []
    for place, results in finished.predict(_SHOWN):
        sentence, target = finished.samples.inputs[place], finished.samples.targets[place]
        assert isinstance(sentence, Sentence)
        rows.append([told(sentence), spelt_out(target), results[0].line()])
    sections = []
    if rows:
        heading = f"<h2>What there was, and what it finds ({escape(finished.part)})</h2>"
        sections = [heading, table(["sentence", "translation", "found"], rows)]
    return Panels(titles, sections)


def told(sentence: Sentence) -> str:
    """A sentence as its text, or its token ids."""
    ids = sentence.ids or ()
    words = sentence.words
    return " ".join(map(str, ids)) if words is None else words.decode(ids)


def spelt_out(target: Reference) -> str:
    """A reference as its text, or its token ids."""
    return target.text or " ".join(map(str, target.ids))
