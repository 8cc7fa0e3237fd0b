"""What a detector's run shows: precisions by class, and what it finds in some pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from PIL import Image

from zoohub.inputs.picture import read_image
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.detection.drawing import draw_boxes
from zoohub.tasks.detection.recipe import DetectionRecipe
from zoohub.tasks.detection.samples import BoxSamples, Objects
from zoohub.tasks.page import class_table, figure
from zoohub.tasks.results import Label

_STYLE = """
figure { width: 18rem } figure img { width: 18rem }
"""
SHOWN = 12  # pictures on the page
_DRAWN = 320  # pixels: small pictures are enlarged to it
_TITLES = {
    "mAP@0.5": "map50",
    "mAP@0.75": "map75",
    "mAP@0.5:0.95": "map",
    "mAP@0.5 of masks": "mask_map50",
    "mAP@0.75 of masks": "mask_map75",
    "mAP@0.5:0.95 of masks": "mask_map",
}


def detection_panels(finished: Finished[DetectionRecipe, Objects]) -> Panels:
    """The classes and the first pictures, with what was found and what was there."""
    found: dict[str, str] = {}
    sections: list[str] = []
    if finished.figures is not None:
        figures = finished.figures
        found = {title: f"{figures[key]:.4f}" for title, key in _TITLES.items() if key in figures}
        rows = [
            (name, (str(row["boxes"]), _number(row["map50"]), _number(row["map"])))
            for name, row in figures["per_class"].items()
        ]
        sections += ["<h2>Classes</h2>", class_table(("class", "boxes", "mAP@0.5", "mAP"), rows)]
    if shown := finished.predict(SHOWN):
        pictures = [_figure(finished.samples, place, labels) for place, labels in shown]
        sections += [f"<h2>What it finds ({escape(finished.part)})</h2>", *pictures]
    return Panels(found, sections, _STYLE)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _figure(samples: BoxSamples, place: int, labels: Sequence[Label]) -> str:
    picture = Image.fromarray(read_image(samples.inputs[place]))  # type: ignore[arg-type]
    ratio = max(1, round(_DRAWN / max(picture.size)))
    if any(label.mask is not None for label in labels):
        ratio = 1  # masks are in the picture's own pixels
    picture = picture.resize((picture.width * ratio, picture.height * ratio))
    boxed = [(label, label.box) for label in labels if label.box is not None]
    enlarged = [
        replace(label, box=(ratio * x1, ratio * y1, ratio * x2, ratio * y2))
        for label, (x1, y1, x2, y2) in boxed
    ]
    drawn = draw_boxes(picture, enlarged)
    drawn.thumbnail((640, 640))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    there = len(samples.targets[place].boxes)
    caption = f"{samples.names[place]}: {len(boxed)} found, {there} there"
    return figure(out.getvalue(), "jpeg", (caption,))
