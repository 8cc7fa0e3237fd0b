"""What a text detector's run shows: its figures, and what it finds in some pictures."""

from __future__ import annotations

from html import escape

from zoohub.inputs.picture import read_image
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import figure
from zoohub.tasks.pictures import encoded
from zoohub.tasks.text_detection.drawing import draw_texts
from zoohub.tasks.text_detection.recipe import TextDetectionRecipe
from zoohub.tasks.text_detection.samples import Texts

_STYLE = """
figure { width: 24rem } figure img { width: 24rem }
"""
_SHOWN = 8
_SIDE = 640  # pixels of a picture on the page


def text_panels(finished: Finished[TextDetectionRecipe, Texts]) -> Panels:
    """Precision, recall and their harmonic mean, and pictures with what was found."""
    titles: dict[str, str] = {}
    if finished.figures is not None:
        figures = finished.figures
        titles = {key: f"{figures[key]:.4f}" for key in ("precision", "recall", "hmean")}
    sections: list[str] = []
    shown = finished.predict(_SHOWN)
    if shown:
        sections.append(f"<h2>What it finds ({escape(finished.part)})</h2>")
    for place, areas in shown:
        drawn = draw_texts(read_image(finished.samples.inputs[place]), areas)  # type: ignore[arg-type]
        drawn.thumbnail((_SIDE, _SIDE))
        there = len(finished.samples.targets[place])
        caption = f"{finished.samples.names[place]}: {len(areas)} found, {there} there"
        sections.append(figure(*encoded(drawn, quality=85), (caption,)))
    return Panels(titles, sections, _STYLE)
