"""The page a detector's run leaves behind, and its learning curve: nothing else is needed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from zoohub.inference.results import Prediction
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.page import class_table, ending, facts, figure, html_page, notes_list
from zoohub.training.pictures import curves
from zoohub.vision.draw import draw_boxes

_STYLE = """
figure { width: 18rem } figure img { width: 18rem }
"""
SHOWN = 12  # pictures on the page
_DRAWN = 320  # pixels: small pictures are enlarged to it


def box_curve(history: Sequence[Mapping[str, Any]]) -> str:
    """SVG: the loss by epoch, and beside it precision on the validation part."""
    return curves(
        {
            "loss": {"training": [line["loss"] for line in history]},
            "precision (validation)": {
                "mAP@0.5": [line["validation_map50"] for line in history],
                "mAP": [line["validation_map"] for line in history],
            },
        }
    )


def box_page(
    name: str,
    recipe: DetectionRecipe,
    splits: BoxSplits,
    history: Sequence[Mapping[str, Any]],
    part: str,
    figures: Mapping[str, Any] | None,
    samples: BoxSamples,
    shown: Sequence[Prediction],
) -> str:
    """HTML of a finished run; `figures` are those on `samples`, the part called `part`, of which
    `shown` are the first pictures' predictions."""
    counts = [len(splits.train), len(splits.validation), len(splits.test)]
    titles = {"mAP@0.5": "map50", "mAP@0.75": "map75", "mAP@0.5:0.95": "map"}
    found = {} if figures is None else {k: f"{figures[v]:.4f}" for k, v in titles.items()}
    body = [facts(recipe, len(splits.classes), counts, found, part), *notes_list(splits.warnings)]
    body += ["<h2>Learning curve</h2>", box_curve(history)]
    if figures is not None:
        rows = [
            (name, (str(row["boxes"]), _number(row["map50"]), _number(row["map"])))
            for name, row in figures["per_class"].items()
        ]
        body += ["<h2>Classes</h2>", class_table(("class", "boxes", "mAP@0.5", "mAP"), rows)]
    if shown:
        pictures = [_figure(samples, place, prediction) for place, prediction in enumerate(shown)]
        body += [f"<h2>What it finds ({escape(part)})</h2>", *pictures]
    return html_page(name, [*body, *ending(recipe, splits.skipped)], _STYLE)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _figure(samples: BoxSamples, place: int, prediction: Prediction) -> str:
    from PIL import Image

    from zoohub.vision.image import read_image

    picture = Image.fromarray(read_image(samples.images[place]))
    ratio = max(1, round(_DRAWN / max(picture.size)))
    picture = picture.resize((picture.width * ratio, picture.height * ratio))
    labels = prediction.predictions
    boxes = [tuple(ratio * v for v in label.box) for label in labels if label.box is not None]
    drawn = draw_boxes(
        picture,
        boxes,  # type: ignore[arg-type]  # four numbers each
        [label.label for label in labels],
        [label.score for label in labels],
        [label.index for label in labels],
    )
    drawn.thumbnail((640, 640))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    there = len(samples.boxes[place])
    caption = f"{samples.names[place]}: {len(boxes)} found, {there} there"
    return figure(out.getvalue(), "jpeg", (caption,))
