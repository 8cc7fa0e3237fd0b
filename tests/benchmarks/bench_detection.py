"""Detection beside mindyolo 0.5.0, on the same MindSpore in one run: from the file to the boxes.

    python tests/benchmarks/bench_detection.py [yolov5s yolov8n …] [--parts PART …] [--rounds 7]

Needs mindyolo 0.5.0 and OpenCV. mindyolo's wheel has no configurations: `--facts` names a file of
lines of JSON with their content. Both sides have the same weights and take turns; figures are
medians in milliseconds, and `ratio` is mindyolo's over zoohub's:

    preprocessing  a JPEG of 1280x752 to the network's input
    network        one picture of `--size` pixels, compiled by MindSpore; and, for zoohub, by
                   onnxruntime as `predict` runs it where it is installed
    nms            pictures of 7, 40 and 150 objects with 25 candidates each (what COCO has on
                   average, a crowded street, a shelf of a shop) as `predict` (0.25) and one of 40
                   as an evaluation (0.001, every class) ask for their boxes
    training       loss and gradients of a batch of four at `--training-size` pixels, compiled
    sizes          pictures of twenty sizes by zoohub's network compiled once, and for each of them
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

import numpy as np
from PIL import Image

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "mindyolo_models.jsonl"
NAMES = {"yolov5s": "yolov5s", "yolov8n": "yolov8n", "yolox-s": "yolox_s"}
NAMES["yolov7-tiny"] = "yolov7_tiny"
PARTS = ("preprocessing", "nms", "network", "training", "sizes")
BATCH = 4
CROWDS = ((7, 0.25, False), (40, 0.25, False), (150, 0.25, False), (40, 0.001, True))
Turn = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(NAMES))
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--training-size", type=int, default=320)
    parser.add_argument("--facts", type=Path, default=FACTS)
    options = parser.parse_args()
    if "preprocessing" in options.parts:
        compare("preprocessing", preprocessing(), options.rounds * 5)
    if "nms" in options.parts:
        for name, sides in suppression():
            compare(f"nms, {name}", sides, options.rounds)
    for model in options.models:
        if {"network", "training"} & set(options.parts):
            networks(model, options)
        if "sizes" in options.parts:
            sizes(model)


def compare(name: str, sides: dict[str, Turn], rounds: int) -> None:
    """Both sides by turns, each once before it counts; printed as they are done."""
    for turn in sides.values():
        turn()
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, turn in sides.items():
            began = time.perf_counter()
            turn()
            seconds[side].append(time.perf_counter() - began)
    medians = {side: statistics.median(values) * 1000 for side, values in seconds.items()}
    told = ", ".join(f"{side} {value:.2f} ms" for side, value in medians.items())
    print(f"{name}: {told}, ratio {medians['mindyolo'] / medians['zoohub']:.2f}", flush=True)


def preprocessing() -> dict[str, Turn]:
    """A file to an array, as `zoohub.transforms` and mindyolo's demo do it."""
    import cv2

    import zoohub

    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (94, 160, 3), np.uint8))
    file = str(Path(tempfile.mkdtemp()) / "street.jpg")
    coarse.resize((1280, 752), Image.Resampling.BICUBIC).save(file, quality=90)
    transform = zoohub.transforms("yolov5s")

    def theirs() -> np.ndarray:
        pixels = cv2.imread(file)
        height, width = pixels.shape[:2]
        ratio = 640 / max(height, width)
        area = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (int(width * ratio), int(height * ratio)), interpolation=area)
        down, across = (640 - pixels.shape[0]) / 2, (640 - pixels.shape[1]) / 2
        borders = (round(down - 0.1), round(down + 0.1), round(across - 0.1), round(across + 0.1))
        pixels = cv2.copyMakeBorder(pixels, *borders, cv2.BORDER_CONSTANT, value=(114,) * 3)
        return np.ascontiguousarray(pixels[:, :, ::-1].transpose(2, 0, 1) / 255.0, np.float32)

    difference = np.abs(transform(file) - theirs()).max() * 255
    print(f"preprocessing: largest difference {difference:.3f} grey levels")
    return {"zoohub": lambda: transform(file), "mindyolo": theirs}


def crowd(objectness: bool, objects: int = 40) -> np.ndarray:
    """Decoded predictions of objects with 25 candidates each, among many of next to nothing:
    (1, 25200, 85) with an objectness, else (1, 8400, 84)."""
    random = np.random.default_rng(0)
    count, first = (25200, 5) if objectness else (8400, 4)
    rows = np.empty((1, count, first + 80), np.float32)
    rows[0, :, :2] = random.uniform(0, 640, (count, 2))
    rows[0, :, 2:4] = np.exp(random.normal(3.5, 0.7, (count, 2)))
    rows[0, :, 4:] = random.beta(0.3, 60, (count, first + 76))
    for places in random.permutation(count)[: objects * 25].reshape(objects, 25):
        box = [*random.uniform(40, 600, 2), *np.exp(random.normal(3.8, 0.7, 2))]
        rows[0, places, :4] = box + random.normal(0, 0.04, (25, 4)) * [*box[2:], *box[2:]]
        if objectness:
            rows[0, places, 4] = random.uniform(0.3, 0.98, 25)
        rows[0, places, first + random.integers(6)] = random.uniform(0.5, 0.98, 25)
    return rows


def suppression() -> list[tuple[str, dict[str, Turn]]]:
    """What is left of crowded pictures, at the thresholds of pictures and of an evaluation."""
    from mindyolo.utils.metrics import non_max_suppression

    from zoohub.outputs.boxes import packed_boxes, scored_boxes
    from zoohub.tasks.detection.rules import BoxRules
    from zoohub.tasks.detection.selection import select_detections

    cases = []
    for model, objectness in (("yolov5", True), ("yolov8", False)):
        name, read = ("predictions", packed_boxes) if objectness else ("boxes", scored_boxes)
        for objects, confidence, every_class in CROWDS:
            rows = crowd(objectness, objects)

            def ours(
                read: Any = read, name: str = name, rows: np.ndarray = rows,
                confidence: float = confidence, every_class: bool = every_class,
            ) -> np.ndarray:  # fmt: skip
                found = read({name: rows}, (640, 640))
                return select_detections(
                    found, 0, BoxRules(confidence=confidence, multi_label=every_class)
                ).scores

            def theirs(
                rows: np.ndarray = rows, objectness: bool = objectness,
                confidence: float = confidence, every_class: bool = every_class,
            ) -> np.ndarray:  # fmt: skip
                left = non_max_suppression(
                    rows, conf_thres=confidence, iou_thres=0.65,
                    conf_free=not objectness, multi_label=every_class,
                )  # fmt: skip
                scores: np.ndarray = left[0][:, 4]
                return scores

            if confidence > 0.1:  # mindyolo takes many seconds for the others
                assert np.allclose(np.sort(ours()), np.sort(theirs()))
            told = f"{model}, {objects} objects at {confidence}"
            cases.append((told, {"zoohub": ours, "mindyolo": theirs}))
    return cases


def networks(model: str, options: argparse.Namespace) -> None:
    """The network and its training step, both sides with the same weights."""
    import mindspore as ms
    from mindspore import Tensor

    import zoohub

    fact = next(
        row for row in map(json.loads, options.facts.open()) if row["name"] == model
    )  # fmt: skip
    ms.set_context(mode=ms.GRAPH_MODE)
    theirs, loss = mindyolo_model(fact)
    net = zoohub.load(NAMES[model])
    ms.load_param_into_net(net, {p.name: p for p in theirs.get_parameters()}, strict_load=True)
    random = np.random.default_rng(0)
    if "network" in options.parts:
        net.set_train(False)
        theirs.set_train(False)
        array = random.random((1, 3, options.size, options.size), np.float32)
        picture = Tensor(array)
        sides = {
            "zoohub": lambda: net(picture)[0].asnumpy(),
            "mindyolo": lambda: theirs(picture)[0].asnumpy(),
        }
        worst = np.abs(sides["zoohub"]() - sides["mindyolo"]()).max()
        print(f"{model}, network: largest difference {worst:.1e}")
        compare(f"{model}, network", sides, options.rounds)
        with_onnxruntime(model, net, array, options.rounds)
    if "training" in options.parts:
        training(model, net, theirs, loss, options)


def mindyolo_model(fact: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The peer's network, and what its loss is made with."""
    from mindyolo.models import create_model
    from mindyolo.utils.config import Config

    config = {
        **{key: fact.get(key) for key in ("depth_multiple", "width_multiple", "max_channels")},
        **{"nc": fact["num_classes"], "stride": fact["strides"], "reg_max": fact.get("reg_max")},
        **{"anchors": fact.get("anchors"), **fact["layers"]},
    }
    known = {key: value for key, value in config.items() if value is not None}
    net = create_model(model_name=fact["model_name"], model_cfg=Config(known), num_classes=80)
    return net, {**fact["loss"], "anchors": fact.get("anchors"), "stride": fact["strides"]}


def with_onnxruntime(model: str, net: Any, array: np.ndarray, rounds: int) -> None:
    """The form that `predict` compiles."""
    try:
        import onnxruntime
    except ImportError:
        return
    from zoohub.exporting import export_with_report

    path = Path(tempfile.mkdtemp()) / f"{model}.onnx"
    export_with_report(net, path)
    session = onnxruntime.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    session.run(None, {name: array})
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        session.run(None, {name: array})
        seconds.append(time.perf_counter() - began)
    print(f"{model}, onnxruntime: {statistics.median(seconds) * 1000:.2f} ms", flush=True)


def training(
    model: str, net: Any, theirs: Any, loss: dict[str, Any], options: argparse.Namespace
) -> None:
    """Loss and gradients of one batch."""
    from mindspore import Tensor
    from mindyolo.models import create_loss

    from zoohub.networks.families import find_family
    from zoohub.networks.family import LossRequest

    size = options.training_size
    random = np.random.default_rng(1)
    pictures = Tensor(random.random((BATCH, 3, size, size), np.float32))
    own = np.full((BATCH, 64, 5), -1, np.float32)
    own[:, :, 1:] = 1
    own[:, :8, 0] = random.integers(0, 80, (BATCH, 8))
    own[:, :8, 1:3] = random.uniform(0.2 * size, 0.8 * size, (BATCH, 8, 2))
    own[:, :8, 3:] = random.uniform(0.05 * size, 0.3 * size, (BATCH, 8, 2))
    peers = np.zeros((BATCH, 64, 6), np.float32)
    peers[:, :, 0] = np.arange(BATCH)[:, None]
    peers[:, :, 1] = own[:, :, 0]
    peers[:, :8, 2:] = own[:, :8, 1:] / size
    family = find_family(net.zoohub.network.builder)
    weights = family.weights_of(net.zoohub.network.arguments)
    assert family.loss is not None
    shell, own_loss = family.find(family.loss)(
        net, LossRequest(80, (size, size), weights=weights)
    )  # fmt: skip
    kwargs = {key: value for key, value in loss.items() if value is not None and key != "reg_max"}
    kwargs |= {"input_size": (size, size)} if model.startswith("yolox") else {}
    peer_loss = create_loss(nc=80, **kwargs)
    for cell in (shell, theirs):
        cell.set_train(True)

    # Named, as MindSpore's compiler cannot read a lambda inside a call.
    def ours(images: Any, targets: Any) -> Any:
        return own_loss(shell(images), targets)

    def peers_own(images: Any, targets: Any) -> Any:
        return peer_loss(theirs(images), targets, images)[0]

    sides = {
        "zoohub": step(ours, net, pictures, Tensor(own)),
        "mindyolo": step(peers_own, theirs, pictures, Tensor(peers)),
    }
    compare(f"{model}, training", sides, max(3, options.rounds // 2))


def sizes(model: str) -> None:
    """Seconds for twenty sizes: compiled once for any, and again for each."""
    import mindspore as ms
    from mindspore import Tensor

    import zoohub

    ms.set_context(mode=ms.GRAPH_MODE)
    random = np.random.default_rng(0)
    shapes = [(1, 3, 32 * rows, 32 * columns) for rows in range(4, 9) for columns in range(4, 8)]
    pictures = [Tensor(random.random(shape, np.float32)) for shape in shapes]
    seconds, compiled = {}, {}
    for way in ("once", "each"):
        net = zoohub.load(NAMES[model]).set_train(False)
        if way == "once":
            net.set_inputs(Tensor(shape=(None, 3, None, None), dtype=ms.float32))
        began = time.perf_counter()
        for picture in pictures:
            net(picture)[0].asnumpy()
        seconds[way], compiled[way] = time.perf_counter() - began, len(net.compile_cache)
    print(
        f"{model}, {len(shapes)} sizes: {seconds['once']:.1f} s compiled {compiled['once']} time, "
        f"{seconds['each']:.1f} s compiled {compiled['each']} times, "
        f"ratio {seconds['once'] / seconds['each']:.2f}",
        flush=True,
    )


def step(forward: Any, net: Any, pictures: Any, targets: Any) -> Turn:
    """A compiled step, waited for."""
    import mindspore as ms

    run = ms.jit(ms.value_and_grad(forward, None, net.trainable_params()))

    def turn() -> object:
        value, slopes = run(pictures, targets)
        slopes[0].asnumpy()
        return value.asnumpy()

    return turn


if __name__ == "__main__":
    sys.exit(main())
