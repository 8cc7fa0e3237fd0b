"""Boxes found, in the form in which COCO takes results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zoohub.tasks.results import Json, Label, Prediction


def coco_results(
    prediction: Prediction[Label], categories: Sequence[int] | None
) -> list[Mapping[str, Json]]:
    """One row a box: `image_id, category_id, bbox, score`, and `segmentation` where it has a mask.

    A picture's id is the number that its name is, as in COCO's own files, or else its name.
    `categories` are the numbers of the classes; None counts them from 1. `bbox` is left, top, width
    and height in pixels.
    """
    stem = Path(prediction.input).stem
    image: Json = int(stem) if stem.isdecimal() else Path(prediction.input).name
    rows: list[Mapping[str, Json]] = []
    for label in prediction.predictions:
        if label.box is None:
            continue
        x1, y1, x2, y2 = label.box
        row: dict[str, Json] = {
            "image_id": image,
            "category_id": label.index + 1 if categories is None else categories[label.index],
            "bbox": [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)],
            "score": round(label.score, 6),
        }
        if label.mask is not None:
            row["segmentation"] = label.mask.to_json()
        rows.append(row)
    return rows
