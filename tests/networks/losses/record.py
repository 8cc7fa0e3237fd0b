"""What mindyolo's losses give for drawn maps and targets, written to tests/data/losses.json.

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
from maps import STRIDES, Case, free_boxes_in_pixels, peers_targets

FILE = Path(__file__).resolve().parents[2] / "data" / "losses.json"
DISTANCES = {"box": 7.5, "cls": 0.5, "dfl": 1.5}
CASES = (
    Case(1, (128, 128), 4, 3),
    Case(2, (192, 192), 7, 5),
    Case(3, (256, 256), 2, 8),
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
    elif name == "yolox":
        loss = load("yolox_loss").YOLOXLoss(nc=case.classes, input_size=case.size)
        maps = Tensor(free_boxes_in_pixels(case))
    else:
        raise SystemExit(f"unknown {name}")
    _, parts = loss(maps, targets, pictures)
    values = [float(value) for value in parts.asnumpy().reshape(-1)]
    return dict(zip(loss.loss_item_name, values, strict=True))


def main() -> None:
    """See the module."""
    folder, *names = sys.argv[1:]
    load = peer(folder)
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    ms.set_context(mode=ms.GRAPH_MODE)
    for name in names:
        known[name] = []
        for case in CASES:
            found = recorded(name, load, case)
            print(name, case.seed, found, flush=True)
            known[name].append({"case": asdict(case), "parts": found})
    FILE.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


main()
