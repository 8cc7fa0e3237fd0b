"""What a text recogniser's run shows: its figures, and pictures with what they say and what is
read."""

from __future__ import annotations

from html import escape

from PIL import Image

from zoohub.inputs.picture import read_image
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import figure
from zoohub.tasks.pictures import encoded
from zoohub.tasks.text_recognition.labels import Word
from zoohub.tasks.text_recognition.recipe import RecognitionRecipe

_SHOWN = 24
_SIZE = (320, 64)
_TITLES = {"acc": "words right", "norm_edit_distance": "1-N.E.D.", "exact": "to the letter"}


def recognition_panels(finished: Finished[RecognitionRecipe, Word]) -> Panels:
    """The figures, and pictures: what each says, and below what is read where that differs."""
    titles: dict[str, str] = {}
    if finished.figures is not None:
        figures = finished.figures
        titles = {title: f"{figures[key]:.4f}" for key, title in _TITLES.items()}
    shown = finished.predict(_SHOWN)
    sections = []
    if shown:
        sections.append(f"<h2>What there was, and what it reads ({escape(finished.part)})</h2>")
    for place, (reading,) in shown:
        picture = Image.fromarray(read_image(finished.samples.inputs[place]))  # type: ignore[arg-type]
        picture.thumbnail(_SIZE)
        text = finished.samples.targets[place].text
        lines = [text] if reading.text == text else [text, f"read: {reading.text}"]
        sections.append(figure(*encoded(picture, quality=85), lines))
    return Panels(titles, sections)
