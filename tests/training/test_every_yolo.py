"""Every generation of YOLO that has a loss trains through `finetune`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from zoohub.errors import RecipeError
from zoohub.training import finetune

pytest.importorskip("pycocotools")

# Reduced as far as they go.
NETWORKS = {
    "yolov3": ("yolov3", {"width": 0.03125, "depth": 0.1}),
    "yolov4": ("yolov4", {"width": 0.03125, "depth": 0.1}),
    "yolov7-tiny": ("yolov7", {"size": "tiny", "width": 0.125}),
    "yolov7-w6": ("yolov7", {"size": "w6", "width": 0.0625}),
    "yolov8n": ("yolov8", {"size": "n", "width": 0.0625, "depth": 0.33}),
    "yolov8n-masks": ("yolov8", {"size": "n", "width": 0.0625, "depth": 0.33, "masks": True}),
    "yolov9-t": ("yolov9", {"size": "t", "width": 0.25}),
    "yolov10n": ("yolov10", {"size": "n", "width": 0.125, "depth": 0.33, "max_detections": 50}),
    "yolov11n": ("yolov11", {"size": "n", "width": 0.125, "depth": 0.33}),
    "yolov3-darknet53": ("yolov3_darknet53", {"base_channels": 2}),
    "yolov3-tiny": ("yolov3_tiny", {"base_channels": 2}),
    "yolov4-zoo": ("yolov4_zoo", {"base_channels": 2}),
    "yolov5-focus": ("yolov5_focus", {"base_channels": 2}),
    "yolox-nano": ("yolox", {"size": "nano", "width": 0.125}),
}


RANGES = {"yolov5_focus": "0..255"}  # which normalises itself


def _recipe(folder: Path, builder: str, arguments: Mapping[str, object]) -> Path:
    """Four pictures of two rectangles, and a recipe of one step over them."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for number in range(4):
        pixels = np.full((64, 64, 3), 40, np.uint8)
        pixels[10:30, 5:25], pixels[12:50, 32:60] = 200, 120
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        # As polygons, which are boxes to networks without masks.
        corners = ((0, 5, 10, 25, 10, 25, 30, 5, 30), (1, 32, 12, 60, 12, 60, 50, 32, 50))
        lines = [f"{c} {' '.join(str(v / 64) for v in values)}" for c, *values in corners]
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))
    (folder / "data.yaml").write_text("train: images\nval: images\nnames: [light, grey]\n")
    recipe = {
        "task": "object-detection",
        "model": builder,
        "network": {"builder": builder, "arguments": dict(arguments)},
        "data": {"kind": "boxes", "path": "data.yaml"},
        "input": {
            "size": [64, 64],
            "resize": "letterbox",
            "value_range": RANGES.get(builder, "0..1"),
        },
        "augment": {"mosaic": 0, "scale": 0, "shift": 0, "flip": 0, "hue": 0, "saturation": 0},
        "optimizer": {"name": "adamw", "lr": 0.002, "clip": 10},
        "schedule": {"warmup": 0},
        "epochs": 1,
        "batch_size": 4,
        "most_boxes": 4,
        "mode": "pynative",  # compiling takes longer; the losses' own tests do both
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
def test_it_trains_and_is_measured(model: str, tmp_path: Path) -> None:
    losses: list[float] = []
    run = finetune(
        _recipe(tmp_path, *NETWORKS[model]),
        output=tmp_path / "run",
        on_epoch=lambda report: losses.append(report.loss),
    )
    assert len(losses) == 1
    assert np.isfinite(losses).all()
    assert 0 <= run.metrics["map50"] <= 1
    masked = model.endswith("masks")
    assert ("mask_map50" in run.metrics) == masked
    (line,) = map(json.loads, (run.path / "metrics.jsonl").read_text().splitlines())
    assert ("validation_mask_map" in line) == masked
    assert ("mAP@0.5 of masks" in (run.path / "report.html").read_text()) == masked
    assert json.loads((run.path / "run.json").read_text())["classes"] == ["light", "grey"]


@pytest.mark.slow
def test_a_run_with_masks_of_before_they_decided_goes_on(tmp_path: Path) -> None:
    recipe, output = _recipe(tmp_path, *NETWORKS["yolov8n-masks"]), tmp_path / "run"
    heads: list[str] = []
    finetune(recipe, output=output, on_epoch=lambda report: heads.append(report.headline[0]))
    history = output / "metrics.jsonl"
    line = json.loads(history.read_text())
    kept = {key: value for key, value in line.items() if "mask" not in key}
    assert kept != line
    history.write_text(json.dumps(kept) + "\n")
    run = finetune(
        output, resume=True, epochs=2, on_epoch=lambda report: heads.append(report.headline[0])
    )
    assert heads == ["mAP@0.5 of masks", "mAP@0.5"]
    assert run.metrics["best_epoch"] in (1, 2)
    last = [json.loads(text) for text in history.read_text().splitlines()][-1]
    assert last["epoch"] == 2
    assert last["validation_mask_map"] is not None


def test_a_family_without_a_loss_says_so(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, "refinedet", {})
    with pytest.raises(RecipeError, match="refinedet cannot be trained: its family has no loss"):
        finetune(recipe, output=tmp_path / "run")
