"""What mindyolo's losses give for drawn maps and targets, written to tests/data/losses.json;
those with masks (yolov8_masks) to mask_losses.json beside it.

    pip download --no-deps mindyolo==0.5.0 && unzip mindyolo-*.whl -d FOLDER
    python tests/networks/losses/record.py FOLDER [NAME…]

mindyolo is no dependency: its losses are imported alone, without what its package imports. They run
in graph mode, as it trains, and with the float16 to which it rounds on the way.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

import mindspore as ms
import numpy as np
from mindspore import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from maps import (
    ANCHORS,
    EXPONENTIAL,
    STRIDES,
    Case,
    exponential_decoded,
    free_boxes_in_pixels,
    peers_targets,
)

DATA = Path(__file__).resolve().parents[2] / "data"
DISTANCES = {"box": 7.5, "cls": 0.5, "dfl": 1.5}
ANCHORED = {
    **{"box": 0.05, "obj": 0.7, "cls": 0.3, "anchor_t": 4.0},
    **{"label_smoothing": 0.0, "fl_gamma": 0.0, "cls_pw": 1.0, "obj_pw": 1.0},
}
EXPONENTIAL_WEIGHTS = {
    **{"box": 10.0, "obj": 1.0, "cls": 1.0, "label_smoothing": 0.0},
    **{"ignore_threshold": 0.7, "iou_threshold": 0.213},
}
CASES = (
    Case(1, (128, 128), 4, 3),
    Case(2, (192, 192), 7, 5),
    Case(3, (256, 256), 2, 8),
)
# Of a picture that learn masks: mindyolo's 600, or all where the picture has fewer.
CELLS = {1: 336, 2: 600, 3: 600}
# Where several boxes want one anchor of one cell, mindyolo's objectness is that of whichever is
# written last; zoohub's is the best one's. So few boxes do not meet.
APART = (
    Case(11, (128, 128), 4, 1),
    Case(12, (192, 192), 7, 1, pictures=4),
    Case(13, (256, 256), 2, 2),
)


def peer(folder: str) -> Callable[[str], Any]:
    """mindyolo's module `losses.NAME`, with nothing of its packages run."""
    root = Path(folder) / "mindyolo"
    for name in ("mindyolo", "mindyolo.models", "mindyolo.models.losses", "mindyolo.models.layers"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    return lambda name: importlib.import_module(f"mindyolo.models.losses.{name}")


def distances(case: Case, branches: int) -> Any:
    """The maps of YOLOv8's kind, one or two branches."""
    found = tuple(tuple(Tensor(m) for m in case.distances(branch)) for branch in range(branches))
    return found[0] if branches == 1 else found


def recorded(name: str, load: Callable[[str], Any], case: Case) -> dict[str, float]:
    """The parts of the peer's loss, and their sum first."""
    targets = Tensor(peers_targets(case))
    pictures = Tensor(np.zeros((case.pictures, 3, *case.size), np.float32))
    if name in ("yolov8", "yolov9", "yolov10", "yolov11"):
        make = getattr(load(f"{name}_loss"), f"YOLOv{name[5:]}Loss")
        loss = make(**DISTANCES, stride=list(STRIDES), nc=case.classes)
        maps = distances(case, 2 if name in ("yolov9", "yolov10") else 1)
    elif name == "yolov8_masks":
        loss = load("yolov8_loss").YOLOv8SegLoss(
            **DISTANCES, stride=list(STRIDES), nc=case.classes, max_object_num=CELLS[case.seed]
        )
        maps = (distances(case, 1), Tensor(case.coefficients()), Tensor(case.prototypes()))
        pictures = Tensor(case.owners())
    elif name in ("yolox", "yolox_l1"):
        l1 = name == "yolox_l1"
        loss = load("yolox_loss").YOLOXLoss(nc=case.classes, input_size=case.size, use_l1=l1)
        maps = Tensor(free_boxes_in_pixels(case))
    elif name in ANCHORS:
        module = load("yolov3_loss" if name == "yolov3" else "yolov7_loss")
        kinds = {
            "yolov3": "YOLOv3Loss",
            "yolov7": "YOLOv7Loss",
            "yolov7_auxiliary": "YOLOv7AuxLoss",
        }
        anchors = ANCHORS[name]
        loss = getattr(module, kinds.get(name, "YOLOv7AuxLoss"))(
            **ANCHORED,
            anchors=anchors,
            stride=[8 * 2**i for i in range(len(anchors))],
            nc=case.classes,
        )
        maps = tuple(Tensor(m) for m in case.anchored(name))
    elif name == "yolov4":
        anchors = [size for level in EXPONENTIAL for size in level]
        loss = load("yolov4_loss").YOLOv4Loss(
            **EXPONENTIAL_WEIGHTS, anchors=anchors, nc=case.classes
        )
        maps = tuple(tuple(Tensor(m) for m in level) for level in exponential_decoded(case))
    else:
        raise SystemExit(f"unknown {name}")
    _, parts = loss(maps, targets, pictures)
    values = [float(value) for value in parts.asnumpy().reshape(-1)]
    return dict(zip(loss.loss_item_name, values, strict=True))


def main() -> None:
    """See the module."""
    folder, *names = sys.argv[1:]
    load = peer(folder)
    ms.set_context(mode=ms.GRAPH_MODE)
    for name in names:
        file = DATA / ("mask_losses.json" if name.endswith("_masks") else "losses.json")
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        known[name] = []
        for case in APART if name == "yolov3" else CASES:
            found = recorded(name, load, case)
            print(name, case.seed, found, flush=True)
            known[name].append({"case": asdict(case), "parts": found})
        file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


main()
