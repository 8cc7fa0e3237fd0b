"""The segmenter that comes with zoohub finds the ink of scenes it has never seen, and how much
better than by brightness alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub import evaluate
from zoohub.cli.main import main
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.settings import Settings
from zoohub.tasks.detection.scenes import make_scene
from zoohub.tasks.segmentation.masks import ClassIndices
from zoohub.tasks.segmentation.metric import Segmentation
from zoohub.tasks.segmentation.scenes import INK_NAMES, MaskScenesReader

REFERENCE = "unet@digits"


def held_out() -> tuple[list[ClassIndices], list[ClassIndices]]:
    """The grey levels and the masks of the scenes that `digit-ink` measures on."""
    reader = MaskScenesReader()
    scenes = reader.read(reader.describe(Path("digit-ink")), measuring=True).test
    grey = [
        np.asarray(Image.fromarray(np.asarray(pixels)).convert("L")) for pixels in scenes.inputs
    ]
    return grey, [mask.read() for mask in scenes.targets]


def best_threshold() -> Segmentation:
    """Ink is what is lighter than one grey level: the one with the highest mean IoU on these very
    scenes, which flatters it."""
    grey, masks = held_out()
    found = []
    for level in range(256):
        metric = Segmentation(INK_NAMES)
        for picture, mask in zip(grey, masks, strict=True):
            metric.count(mask, (picture > level).astype(np.uint8))
        found.append(metric)
    return max(found, key=lambda metric: float(np.nanmean(metric.ious)))


@pytest.mark.slow
def test_the_embedded_segmenter_is_as_good_as_stated_and_a_threshold_is_not(tmp_path: Path) -> None:
    found = evaluate(REFERENCE, "digit-ink", settings=Settings(home=tmp_path, offline=True))
    checkpoint = zoohub.info(REFERENCE).checkpoint("digits")
    assert checkpoint is not None
    stated = checkpoint.metrics
    assert found["count"] == 200
    assert 100 * found["miou"] == pytest.approx(stated["miou"], abs=0.1)
    assert 100 * found["accuracy"] == pytest.approx(stated["accuracy"], abs=0.1)
    threshold = best_threshold().figures()
    assert 100 * threshold["miou"] == pytest.approx(stated["threshold_miou"], abs=0.1)
    assert 100 * threshold["accuracy"] == pytest.approx(stated["threshold_accuracy"], abs=0.1)
    assert found["miou"] > threshold["miou"] + 0.02
    ink, by_level = (figures["per_class"]["digit"]["iou"] for figures in (found, threshold))
    assert ink > by_level + 0.03


@pytest.mark.slow
def test_the_command_line_saves_a_scenes_map_offline(tmp_path: Path) -> None:
    pixels, boxes = make_scene(heldout_digits(), "test", 3, 128)
    scene, saved = tmp_path / "scene.png", tmp_path / "map.png"
    Image.fromarray(pixels).save(scene)
    assert main(["predict", REFERENCE, str(scene), "--save", str(saved), "--offline"]) == 0
    with Image.open(saved) as image:
        assert image.mode == "P"
        ink = np.asarray(image) == 1
    assert ink.shape == (128, 128)
    for _, x1, y1, x2, y2 in boxes.astype(int):
        assert ink[y1:y2, x1:x2].mean() > 0.15
    outside = np.ones_like(ink)
    for _, x1, y1, x2, y2 in boxes.astype(int):
        outside[max(0, y1 - 2) : y2 + 2, max(0, x1 - 2) : x2 + 2] = False
    assert ink[outside].mean() < 0.05
