"""What short runs, predictions, measurements and exports give: figures to hold later code to.

    python tests/training/record_truth.py OUT.json [SCENARIO…]    # of the code that is imported
    python tests/training/record_truth.py --folders tests/data/truth

Uses nothing but zoohub's public face, so that any version can run it. `test_truth.py` compares
today's code with `tests/data/truth/truth.json`. That was recorded on commit ce53141, and anew when
bilinear resizing came to round as OpenCV does at a picture's edges, after a run without that change
had given the old figures. The run folders there were written by ce53141; two were interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
os.environ["ZOOHUB_ENGINE"] = "mindspore"  # what computed then: figures are compared bit for bit

import numpy as np
from PIL import Image

import zoohub

HERE = Path(zoohub.__file__).parent
DIGITS = HERE / "_data" / "digits"

SGD = """
model: lenet5
network: {builder: lenet, arguments: {num_classes: 10, in_channels: 1}, head: fc3}
input: {size: [32, 32], colour: L, crop: 1.0, mean: [0.1307], std: [0.3081]}
data: {kind: digits, part: 0.1, test: [0]}
augment: {rotate: 10, shift: 0.08, zoom: 0.1, shear: 10, mixup: 0.2, cutmix: 0.5, erase: 0.2}
optimizer: {name: sgd, lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0005, clip: 1.0}
schedule: {warmup: 0.5}
epochs: 3
batch_size: 16
label_smoothing: 0.1
seed: 3
"""
ADAMW = """
model: lenet5
checkpoint: digits
data: {kind: digits, part: 0.1, classes: [7, 3, 5]}
augment: {rotate: 5, colour: 0.2}
optimizer: {name: adamw, lr: 0.001, weight_decay: 0.05}
schedule: {name: linear, warmup: 1, final: 0.1}
epochs: 3
batch_size: 8
ema: 0.9
frozen: [conv1]
layer_decay: 0.8
keep: last
"""
MICRO = """
model: lenet5
checkpoint: digits
data: {kind: digits, part: 0.1, folds: blocks}
augment: {area: [0.5, 1.0], flip: 0.5, colour: 0.3, mixup: 0.3}
optimizer: {name: adamw, lr: 0.0005}
epochs: 2
batch_size: 16
micro_batch: 4
"""
EAGER = MICRO.replace("micro_batch: 4", "mode: pynative")
# Most of LeNet-5 is fc1: frozen, it needs no optimiser's state.
SMALL = """
model: lenet5
network: {builder: lenet, arguments: {num_classes: 10, in_channels: 1}, head: fc3}
input: {size: [32, 32], colour: L, crop: 1.0}
data: {kind: digits, part: 0.1}
augment: {shift: 0.1}
optimizer: {name: sgd, lr: 0.05}
epochs: 3
batch_size: 16
frozen: [fc1]
"""
SCENES = """
task: object-detection
model: yolov5n
network: {builder: yolov5, arguments: {size: n, width: 0.03125}, head: model.model.24.m}
data: {kind: digit-scenes, size: 64, train: 24, validation: 6, test: 6}
input: {size: [64, 64], resize: letterbox}
augment: {mosaic: 0.5, scale: 0.2, flip: 0.5, last: 1}
optimizer: {name: adamw, lr: 0.005, weight_decay: 0.01, clip: 10}
schedule: {warmup: 0.5, final: 0.01}
epochs: 2
batch_size: 8
most_boxes: 12
ema: 0.9
seed: 1
"""
LIGHT = SCENES.replace("name: adamw, lr: 0.005", "name: sgd, lr: 0.01").replace("ema: 0.9\n", "")
WIDER = """
task: object-detection
model: yolov5n
network: {builder: yolov5, arguments: {size: n, width: 0.125}, head: model.model.24.m}
data: {kind: boxes, path: %s, validation: 0.25, seed: 2}
input: {size: [64, 64], resize: letterbox, colour: BGR}
augment: {mosaic: 0.3, shift: 0.05, last: 1}
optimizer: {name: sgd, lr: 0.01}
epochs: 3
evaluate_every: 2
batch_size: 8
micro_batch: 4
label_smoothing: 0.1
frozen: [model.model.0]
keep: last
"""


class Stopped(Exception):
    """The run was interrupted on purpose."""


def digit_files(folder: Path) -> Path:
    """A folder a class of the shipped digits, with a file that is no picture."""
    for name, label, files in (("six", 6, 12), ("one", 1, 11), ("eight", 8, 9)):
        (folder / name).mkdir(parents=True)
        for number, pixels in enumerate(shipped()[label][:files]):
            Image.fromarray(pixels).save(folder / name / f"{number:02d}.png")
    (folder / "six" / "broken.png").write_bytes(b"no picture")
    return folder


def shipped() -> dict[int, list[np.ndarray[Any, Any]]]:
    """The held-out digits by class, out of the package."""
    sheet = np.asarray(Image.open(DIGITS / "heldout.png"))
    rows, columns = sheet.shape[0] // 8, sheet.shape[1] // 8
    images = sheet.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3).reshape(-1, 8, 8)
    labels = [int(c) for c in (DIGITS / "heldout.txt").read_text() if c.isdigit()]
    found: dict[int, list[np.ndarray[Any, Any]]] = {label: [] for label in range(10)}
    for image, label in zip(images, labels, strict=True):
        found[label].append(image)
    return found


def box_files(folder: Path, count: int = 32) -> Path:
    """A data.yaml of `count` pictures of 80×64 with two digits each, and the same as COCO's."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    digits, images, annotations = shipped(), [], []
    for number in range(count):
        random = np.random.default_rng([7, number])
        canvas = random.integers(20, 90, (64, 80, 3)).astype(np.uint8)
        lines = []
        for left in (4, 42):
            label, side = int(random.integers(3)), int(random.integers(2, 5))
            ink = np.kron(digits[label][number % 20], np.ones((side, side), np.uint8))
            top = int(random.integers(0, 64 - 8 * side))
            x1, y1, size = left, top, 8 * side
            canvas[y1 : y1 + size, x1 : x1 + size] |= ink[..., None]
            x, y = (x1 + size / 2) / 80, (y1 + size / 2) / 64
            lines.append(f"{label} {x} {y} {size / 80} {size / 64}")
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": label + 1,
                 "bbox": [x1, y1, size, size], "iscrowd": int(number == 3)}
            )  # fmt: skip
        Image.fromarray(canvas).save(folder / "images" / f"{number:02d}.png")
        (folder / "labels" / f"{number:02d}.txt").write_text("\n".join(lines))
        images.append({"id": number, "file_name": f"{number:02d}.png"})
    (folder / "data.yaml").write_text("train: images\nnames: ['0', '1', '2']\n")
    categories = [{"id": i + 1, "name": str(i)} for i in range(3)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "boxes.json").write_text(json.dumps(content))
    return folder / "data.yaml"


def digest(content: bytes | str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def sketch(file: Path) -> dict[str, list[float]]:
    """A few values of each parameter, for machines whose arithmetic is another."""
    rows = {}
    for name, array in zoohub.load_weights(file).items():
        flat = np.asarray(array, np.float64).reshape(-1)
        rows[name] = [float(v) for v in (flat[0], flat[len(flat) // 2], flat.mean())]
    return rows


class Recorder:
    """Runs scenarios in a folder of their own, whose name never gets into what is recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plain(self, text: str) -> str:
        """Text without this machine's folders, versions and times."""
        for place in (str(self.folder.resolve()), str(self.folder), str(HERE)):
            text = text.replace(place, "<place>")
        # Said with the cure since; the digests of pages are of the words of then.
        text = text.replace("; convert it to JPEG or PNG", "")
        text = re.sub(r"(?<!is )not an image in a format that Pillow reads", "not a picture", text)
        text = re.sub(r"\d+\.\d+ s\b", "<seconds> s", text)
        return re.sub(r"\d+ images/s", "<rate> images/s", text)

    def finetune(self, name: str, model: str, data: Path | None = None, **options: Any) -> Any:
        """A run and all it says, shows and leaves behind."""
        said: list[str] = []
        steps: list[dict[str, Any]] = []
        epochs: list[dict[str, Any]] = []
        file: str | Path = model
        if "\n" in model:
            file = self.folder / f"{name}.yaml"
            file.write_text(model, encoding="utf-8")
        output = self.folder / "runs" / name
        stop = options.pop("stop", None)

        def step(report: Any) -> None:
            steps.append(_without(told(report), "images_per_second"))
            if stop == (report.epoch, report.step):
                raise Stopped

        given = {
            "output": output,
            "on_step": step,
            "on_epoch": lambda report: epochs.append(_without(told(report), "seconds")),
            "say": said.append,
            **options,
        }
        if stop:
            with contextlib.suppress(Stopped):
                zoohub.finetune(file, data, **given, save_seconds=0)
            stop = None
            run = zoohub.finetune(output, **{**given, "resume": True})
        else:
            run = zoohub.finetune(file, data, **given)
        return self.left(run, said, steps, epochs)

    def left(self, run: Any, said: list[str], steps: list[Any], epochs: list[Any]) -> Any:
        """What the finished run left behind."""
        texts = {
            path.name: digest(self.plain(path.read_text(encoding="utf-8")))
            for path in sorted(run.path.iterdir())
            if path.suffix in (".html", ".svg", ".csv")
        }
        lines = (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        history = [json.loads(line) for line in lines]
        document = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
        weights = run.path / "weights.ckpt"
        return {
            "weights": digest(weights.read_bytes()),
            "sketch": sketch(weights),
            "files": sorted(path.name for path in run.path.iterdir()),
            "texts": texts,
            "history": [_without(line, "seconds") for line in history],
            "recipe": self.plain((run.path / "recipe.yaml").read_text(encoding="utf-8")),
            "said": [self.plain(text) for text in said],
            "steps": steps,
            "epochs": epochs,
            "metrics": run.metrics,
            "run": json.loads(self.plain(json.dumps(document))),
        }

    def command(self, *words: object) -> Any:
        """A command line's exit code and what it prints."""
        from zoohub.cli.main import main

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
        return [code, self.plain(out.getvalue()), self.plain(err.getvalue())]


def told(report: Any) -> dict[str, Any]:
    """A report by name; the first versions' were plain dataclasses."""
    return report.line() if hasattr(report, "line") else asdict(report)


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def folder_run(r: Recorder) -> Any:
    data = digit_files(r.folder / "three")
    return r.finetune("folder", "lenet5@digits", data, epochs=2, lr=0.002)


def table_run(r: Recorder) -> Any:
    data = digit_files(r.folder / "rows")
    rows = ["path,label,split"]
    for place, path in enumerate(sorted(data.rglob("*.png"))):
        part = ("train", "train", "val", "test")[place % 4]
        rows.append(f"{path.relative_to(data)},{path.parent.name},{part}")
    (data / "labels.csv").write_text("\n".join(rows))
    options = {"checkpoint": None, "epochs": 2, "batch_size": 6, "seed": 5}
    return r.finetune("table", "lenet5", data / "labels.csv", **options)


def boxes_run(r: Recorder) -> Any:
    return r.finetune("boxes", WIDER % box_files(r.folder / "boxes"))


def detector_run(r: Recorder) -> Any:
    data = box_files(r.folder / "more", 12)
    options = ["input.size=[64, 64]", "augment.mosaic=0.5"]
    return r.finetune("detector", "yolov5n@digits", data, epochs=1, assignments=options)


def coco_run(r: Recorder) -> Any:
    data = box_files(r.folder / "coco").with_name("boxes.json")
    wanted = SCENES.replace(
        "{kind: digit-scenes, size: 64, train: 24, validation: 6, test: 6}",
        f"{{kind: boxes, path: {data}}}",
    )
    return r.finetune("coco", wanted, epochs=1)


def predictions(r: Recorder) -> Any:
    box_files(r.folder / "pictures", 3)
    pictures = r.folder / "pictures" / "images"
    digits = DIGITS / "digit-0005-is-5.png"
    rows = [p.to_json() for p in zoohub.predict("lenet5@digits", str(DIGITS / "digit-*.png"), top=3,
                                                mode="pynative", batch_size=4)]  # fmt: skip
    found = zoohub.predict("yolov5n@digits", pictures, mode="graph", save=r.folder / "drawn",
                           threshold=0.1)  # fmt: skip
    drawn = sorted((r.folder / "drawn").iterdir())
    return {
        "classes": json.loads(r.plain(json.dumps(rows))),
        "boxes": json.loads(r.plain(json.dumps([p.to_json() for p in found]))),
        "drawn": {path.name: digest(np.asarray(Image.open(path)).tobytes()) for path in drawn},
        "text": r.command("predict", "lenet5@digits", digits, "--top", 2, "--mode", "graph"),
        "found": r.command("predict", "yolov5n@digits", pictures, "--mode", "graph"),
        "none": r.command("predict", "lenet5@digits", digits, DIGITS / "heldout.txt", "--json"),
        "save": r.command("predict", "lenet5@digits", digits, "--save", r.folder / "x.png"),
    }


def evaluations(r: Recorder) -> Any:
    folder, boxes = digit_files(r.folder / "named"), box_files(r.folder / "judged")
    for name, digit in (("six", "6"), ("one", "1"), ("eight", "8")):
        (folder / name).rename(folder / digit)
    evaluate, graph = zoohub.evaluate, "graph"
    return {
        "digits": evaluate("lenet5@digits", "digits", mode=graph),
        "folder": json.loads(r.plain(json.dumps(evaluate("lenet5@digits", folder, mode=graph)))),
        "scenes": evaluate("yolov5n@digits", "digit-scenes", mode=graph),
        "boxes": evaluate("yolov5n@digits", boxes, mode=graph),
        "coco": evaluate("yolov5n@digits", boxes.with_name("boxes.json"), batch_size=5, mode=graph),
        "text": r.command("eval", "lenet5@digits", "--data", folder, "--compare", "lenet5@digits"),
        "table": r.command("eval", "yolov5n@digits", "--data", boxes),
    }


def exports(r: Recorder) -> Any:
    import onnx

    found = {}
    for name, options in (
        ("lenet5@digits", {}), ("yolov5n@digits", {}),
        ("yolov5n@digits", {"nms": True}), ("yolov5n@digits", {"decode": False}),
    ):  # fmt: skip
        path = zoohub.export(name, r.folder / f"{len(found)}.onnx", **options)
        model = onnx.load(path)
        said = {p.key: p.value for p in model.metadata_props}
        found[f"{name} {options}"] = {
            "said": said,
            "inputs": [i.name for i in model.graph.input],
            "outputs": [o.name for o in model.graph.output],
            "predictions": _boxes_of(path),
        }
    return found


def _boxes_of(path: Path) -> Any:
    rows = zoohub.predict(path, DIGITS / "digit-0005-is-5.png")
    return rows[0].to_json().get("predictions")


def commands(r: Recorder) -> Any:
    data = digit_files(r.folder / "talk")
    out = r.folder / "runs" / "talk"
    return {
        "finetune": r.command("finetune", "lenet5@digits", "--data", data, "--epochs", 1,
                              "--output", out),
        "again": r.command("finetune", "lenet5@digits", "--data", data, "--output", out),
        "finished": r.command("finetune", "--resume", "--output", out),
        "no data": r.command("finetune", "lenet5@digits"),
        "not there": r.command("finetune", "lenet5@digits", "--data", r.folder / "nowhere"),
        "wrong kind": r.command("finetune", "yolov5n@digits", "--data", data),
        "wrong boxes": r.command("finetune", "lenet5@digits", "--data", "digit-scenes"),
        "odd key": r.command("finetune", "lenet5@digits", "--data", data, "--set", "augment.x=1",
                             "--output", r.folder / "odd"),
        "run": r.command("predict", out, data / "one" / "00.png", "--mode", "graph"),
    }  # fmt: skip


SCENARIOS: dict[str, Callable[[Recorder], Any]] = {
    "sgd": lambda r: r.finetune("sgd", SGD),
    "adamw": lambda r: r.finetune("adamw", ADAMW),
    "micro": lambda r: r.finetune("micro", MICRO),
    "eager": lambda r: r.finetune("eager", EAGER),
    "resumed": lambda r: r.finetune("resumed", SGD, stop=(2, 3)),
    "resumed-average": lambda r: r.finetune("resumed-average", ADAMW, stop=(2, 1)),
    "folder": folder_run,
    "table": table_run,
    "scenes": lambda r: r.finetune("scenes", SCENES),
    "scenes-resumed": lambda r: r.finetune("scenes-resumed", SCENES, stop=(2, 2)),
    "boxes": boxes_run,
    "coco": coco_run,
    "detector": detector_run,
    "predictions": predictions,
    "evaluations": evaluations,
    "exports": exports,
    "commands": commands,
}


def canary() -> str:
    """A digest of a matrix product, a convolution, and of NumPy's exponentials and sums, which
    follow the processor: whether arithmetic is the recorder's. With AVX-512 NumPy's logarithms and
    onnxruntime end in other digits, where the rest of it may not."""
    import mindspore as ms
    from mindspore import ops

    random = np.random.default_rng(0)
    a, b = (ms.Tensor(random.normal(size=(65, 65)).astype(np.float32)) for _ in range(2))
    x = ms.Tensor(random.normal(size=(2, 8, 17, 17)).astype(np.float32))
    w = ms.Tensor(random.normal(size=(8, 8, 3, 3)).astype(np.float32))
    powers = np.exp(random.normal(size=1000).astype(np.float32))
    parts = [ops.matmul(a, b).asnumpy(), ops.conv2d(x, w).asnumpy(), powers, powers.sum()]
    wide = " AVX-512" if np.core._multiarray_umath.__cpu_features__["AVX512F"] else ""
    return digest(b"".join(part.tobytes() for part in parts)) + f" {ms.__version__}{wide}"


def record(out: Path, names: list[str]) -> None:
    """Run the scenarios and write what they give."""
    found: dict[str, Any] = {"canary": canary()}
    with tempfile.TemporaryDirectory() as place:
        os.environ["ZOOHUB_HOME"] = f"{place}/home"
        os.environ["XDG_CONFIG_HOME"] = f"{place}/config"
        for name in names or SCENARIOS:
            import mindspore as ms

            ms.set_context(mode=ms.PYNATIVE_MODE)
            folder = Path(place) / name
            (folder / "runs").mkdir(parents=True)
            print(name, flush=True)
            found[name] = SCENARIOS[name](Recorder(folder))
            out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def record_folders(out: Path) -> None:
    """Write the run folders: interrupted ones, and what they come to when they go on."""
    expected = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["ZOOHUB_HOME"] = f"{place}/home"
        for name, text, at in (("classifier", SMALL, (2, 2)), ("detector", LIGHT, (2, 1))):
            file, target = Path(place) / f"{name}.yaml", Path(place) / name
            file.write_text(text, encoding="utf-8")

            def stop(report: Any, at: tuple[int, int] = at) -> None:
                if (report.epoch, report.step) == at:
                    raise Stopped

            with contextlib.suppress(Stopped):
                zoohub.finetune(file, output=target, on_step=stop, save_seconds=0)
            shutil.rmtree(out / name, ignore_errors=True)
            shutil.copytree(target, out / name)
            run = zoohub.finetune(target, resume=True)
            expected[name] = {
                "weights": digest((run.path / "weights.ckpt").read_bytes()),
                "sketch": sketch(run.path / "weights.ckpt"),
                "metrics": run.metrics,
            }
            if name == "detector":
                done = out / "detector-finished"
                shutil.rmtree(done, ignore_errors=True)
                shutil.copytree(target, done, ignore=shutil.ignore_patterns("*.safetensors",
                                "best.ckpt", "last.ckpt"))  # fmt: skip
    (out / "folders.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # A test's worker has one core (tests/conftest.py), and sums differ in their last bits by how
    # many threads share them.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    if sys.argv[1] == "--folders":
        record_folders(Path(sys.argv[2]).resolve())
    else:
        record(Path(sys.argv[1]).resolve(), sys.argv[2:])
