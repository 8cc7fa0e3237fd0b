"""What a run shows of the words it finds."""

from __future__ import annotations

from html import escape

from zoohub.core.elements import table
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.fill_mask.recipe import FillMaskRecipe
from zoohub.tasks.fill_mask.rows import Masked
from zoohub.tasks.fill_mask.table import Truth

_SHOWN = 10


def fill_mask_panels(finished: Finished[FillMaskRecipe, Truth]) -> Panels:
    """The figures, and some texts with what was left out and what is found."""
    if finished.figures is None:
        return Panels()
    figures = finished.figures
    titles = {
        "accuracy": f"{figures['acc']:.4f}",
        "perplexity": f"{figures['perplexity']:.2f}",
        "words left out": str(figures["words"]),
    }
    rows = []
    for place, found in finished.predict(_SHOWN):
        text, truth = finished.samples.inputs[place], finished.samples.targets[place]
        assert isinstance(text, Masked)
        best: dict[int, str] = {}
        for word in found:
            best.setdefault(word.mask or 0, str(word.token))
        rows.append(
            [" ".join(map(str, text.ids)), " ".join(map(str, truth)), " ".join(best.values())]
        )
    heading = f"<h2>Words left out ({escape(finished.part)})</h2>"
    sections = [heading, table(["tokens", "left out", "found"], rows)] if rows else []
    return Panels(titles, sections)
