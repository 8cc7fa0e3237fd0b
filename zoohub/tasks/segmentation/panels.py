"""What a segmenter's run shows: each class's figures, and pictures beside what was found."""

from __future__ import annotations

from html import escape

from PIL import Image

from zoohub.inputs.picture import read_image
from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.page import class_table, figure
from zoohub.tasks.pictures import encoded
from zoohub.tasks.segmentation.drawing import map_of, overlay
from zoohub.tasks.segmentation.masks import Mask
from zoohub.tasks.segmentation.recipe import SegmentationRecipe

_STYLE = """
figure { width: 24rem } figure img { width: 24rem }
"""
_SHOWN = 8
_SIDE = 320  # pixels of a picture on the page


def segmentation_panels(finished: Finished[SegmentationRecipe, Mask]) -> Panels:
    """Intersection over union by class, and pictures: what there was, and what was found."""
    titles: dict[str, str] = {}
    sections: list[str] = []
    if finished.figures is not None:
        figures = finished.figures
        titles = {"mean IoU": f"{figures['miou']:.4f}", "pixels": f"{figures['accuracy']:.4f}"}
        rows = [
            (name, (f"{row['share']:.2%}", "–" if row["iou"] is None else f"{row['iou']:.3f}"))
            for name, row in figures["per_class"].items()
        ]
        table = class_table(("class", "share of the pixels", "IoU"), rows)
        sections += ["<h2>Classes</h2>", table]
    shown = finished.predict(_SHOWN)
    if shown:
        sections.append(f"<h2>What there was, and what it finds ({escape(finished.part)})</h2>")
    for place, regions in shown:
        picture = finished.samples.inputs[place]
        pixels = read_image(picture)  # type: ignore[arg-type]
        size = (pixels.shape[0], pixels.shape[1])
        found = overlay(pixels, map_of(regions, size))
        truth = overlay(pixels, finished.samples.targets[place].read())
        both = Image.new("RGB", (2 * found.width + 4, found.height), "white")
        both.paste(truth, (0, 0))
        both.paste(found, (found.width + 4, 0))
        ratio = max(1, round(_SIDE / max(found.size)))
        both = both.resize((both.width * ratio, both.height * ratio), Image.Resampling.NEAREST)
        both.thumbnail((2 * 2 * _SIDE, 2 * _SIDE))
        sections.append(figure(*encoded(both, quality=85), (finished.samples.names[place],)))
    return Panels(titles, sections, _STYLE)
