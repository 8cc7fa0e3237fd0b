"""Predicting from files to answers: zoohub beside mindcv's and mindyolo's way, and onnxruntime.

    python tests/benchmarks/bench_predict.py [--work DIR] [--rounds 5] [--pictures 1000] [--json]

No published file is needed: networks with random weights are saved as runs, which are names like
any other. `one` is a whole process for one picture, zoohub's second call (its first, which compiles
the network, is told apart); `many` is a folder of JPEGs of 500x375, in pictures a second, of which
`ready` is onnxruntime alone on arrays that are already there. The roads take turns; figures are
medians. mindcv and mindyolo are measured where they are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

BATCH = 8
MODELS = {"resnet50": "mindcv", "mobilenet_v2_100": "mindcv", "yolov5s": "mindyolo"}
ZOOHUB = "import sys; from zoohub.cli.main import entry_point; entry_point()"

ONNX = """
import sys, time
import numpy as np, onnxruntime
from PIL import Image
session = onnxruntime.InferenceSession(sys.argv[1])
(source,) = session.get_inputs()
size = source.shape[2:]
batch = int(sys.argv[3])
with Image.open(sys.argv[2]) as picture:
    pixels = np.asarray(picture.convert("RGB").resize(size[::-1]), np.float32)
arrays = np.stack([pixels.transpose(2, 0, 1) / 255] * batch)
session.run(None, {source.name: arrays})
began = time.perf_counter()
rounds = int(sys.argv[4])
for _ in range(rounds):
    session.run(None, {source.name: arrays})
print(rounds * batch / (time.perf_counter() - began) if rounds else 0)
"""
MINDCV = """
import sys, time
import mindspore as ms, numpy as np
from mindcv.data import create_dataset, create_loader, create_transforms
from mindcv.models import create_model
from PIL import Image
name, weights, picture, folder = sys.argv[1:]
net = create_model(name)
ms.load_param_into_net(net, ms.load_checkpoint(weights))
net.set_train(False)
transform = create_transforms(dataset_name="imagenet", is_training=False)
if folder:
    ms.set_context(mode=ms.GRAPH_MODE)
    data = create_dataset(name="", root=folder, num_parallel_workers=2, shuffle=False)
    loader = create_loader(data, batch_size=8, transform=transform, num_parallel_workers=2)
    count, began = 0, None
    for images, _ in loader:
        net(images).asnumpy()
        if began is None:  # the first compiles
            began = time.perf_counter()
        else:
            count += len(images)
    print(count / (time.perf_counter() - began))
else:
    image = np.asarray(Image.open(picture).convert("RGB"))
    for step in transform:
        image = step(image)
    print(net(ms.Tensor(image[None])).asnumpy().argmax())
"""
MINDYOLO = """
import sys
import mindspore as ms, numpy as np
from mindyolo.models import create_model
from mindyolo.utils.config import load_config
from PIL import Image
name, weights, picture, folder = sys.argv[1:]
import mindyolo
from pathlib import Path
found = next(Path(mindyolo.__path__[0]).parent.rglob("configs/yolov5/yolov5s.yaml"))
config, _, _ = load_config(str(found))
net = create_model(model_name="yolov5", model_cfg=config["network"], num_classes=80)
ms.load_param_into_net(net, ms.load_checkpoint(weights))
net.set_train(False)
image = Image.open(picture).convert("RGB").resize((640, 640))
array = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
print([output.shape for output in net(ms.Tensor(array))][:1])
"""
PEERS = {"mindcv": MINDCV, "mindyolo": MINDYOLO}


def make_run(model: str, folder: Path) -> Path:
    """A run's folder of a network with random weights, as `finetune` would leave it."""
    import zoohub
    from zoohub.core.hashing import hash_file
    from zoohub.framework import installed_mindspore
    from zoohub.models.class_names import class_names
    from zoohub.models.runs import RunFacts, run_document

    if (folder / "run.json").is_file():
        return folder
    import mindspore as ms

    folder.mkdir(parents=True, exist_ok=True)
    entry = zoohub.info(model)
    checkpoint = next(c for c in entry.checkpoints if c.id == MODELS[model] and c.network)
    assert checkpoint.network is not None
    assert checkpoint.input is not None
    ms.set_seed(0)
    net = zoohub.load(f"{model}@{checkpoint.id}")
    ms.save_checkpoint(net, str(folder / "weights.ckpt"))
    found = hash_file(folder / "weights.ckpt")
    facts = RunFacts(
        model, entry.task, entry, None, checkpoint.network, checkpoint.input,
        tuple(class_names(checkpoint.classes or "imagenet-1k")), found.sha256, found.size,
        "random", installed_mindspore() or "", {}, (),
    )  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run_document(facts)))
    return folder


def make_pictures(folder: Path, count: int) -> Path:
    """JPEGs of 500x375 with as much detail as photographs have."""
    (folder / "one").mkdir(parents=True, exist_ok=True)
    for place in range(len(list((folder / "one").iterdir())), count):
        rng = np.random.default_rng(place)
        small = Image.fromarray(rng.integers(0, 256, (47, 63, 3), np.uint8))
        small.resize((500, 375), Image.Resampling.BICUBIC).save(folder / f"one/{place:05}.jpg")
    return folder


def timed(command: list[str], home: Path) -> tuple[float, str]:
    """Seconds of a whole process, and the last line of what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", *command], capture_output=True, text=True, check=False,
        env={**os.environ, "ZOOHUB_HOME": str(home)},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command[1:]} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - began, (done.stdout.strip().splitlines() or [""])[-1]


def rate(command: list[str], home: Path, count: int) -> float:
    """Pictures a second of `zoohub predict` over a folder: its start is counted too."""
    return count / timed(command, home)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("bench-predict"))
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    home = options.work.resolve() / "home"
    pictures = make_pictures(options.work / "pictures", options.pictures)
    results = []
    for model in options.models:
        found = bench(model, options, home, pictures)
        results.append({"model": model, **found})
        if not options.json:
            print(model, *(f"  {name}: {value}" for name, value in found.items()), sep="\n")
    if options.json:
        print(json.dumps(results))


def bench(model: str, options: argparse.Namespace, home: Path, pictures: Path) -> dict[str, object]:
    """The figures of one model."""
    run = make_run(model, options.work / model)
    picture, peer = str(pictures / "one" / "00000.jpg"), MODELS[model]
    predict = [ZOOHUB, "predict", str(run)]
    found: dict[str, object] = {
        "first call, compiles (s)": timed([*predict, picture, "--json"], home)[0]
    }
    form = str(next(home.glob("blobs/**/*.onnx"), ""))
    for path in home.glob("blobs/**/*.onnx.json"):
        if f'"{run.name} (compiled)"' in path.read_text():
            form = str(path).removesuffix(".json")
    roads = {
        "zoohub": [*predict, picture, "--json"],
        "onnxruntime alone": [ONNX, form, picture, "1", "0"],
    }
    many = {"ready": [ONNX, form, picture, str(BATCH), str(max(1, options.pictures // BATCH))]}
    if find_spec(peer) is None:
        found[peer] = "is not installed"
    else:
        weights = str(run / "weights.ckpt")
        name = model if model != "mobilenet_v2_100" else "mobilenet_v2_100"
        roads[peer] = [PEERS[peer], name, weights, picture, ""]
        if peer == "mindcv":
            many[peer] = [MINDCV, name, weights, picture, str(pictures)]
    seconds: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(options.rounds):
        for name, command in roads.items():
            seconds[name].append(timed(command, home)[0])
    rates: dict[str, list[float]] = {name: [] for name in ("zoohub", *many)}
    for number in range(max(1, options.rounds // 2)):
        out = options.work / f"{model}-{number}.jsonl"
        out.unlink(missing_ok=True)
        command = [*predict, str(pictures / "one"), "--jsonl", str(out), "--batch-size", str(BATCH)]
        rates["zoohub"].append(rate(command, home, options.pictures))
        for name, command in many.items():
            rates[name].append(float(timed(command, home)[1]))
    found |= {f"one, {name} (s)": statistics.median(v) for name, v in seconds.items()}
    found |= {f"many, {name} (a second)": statistics.median(v) for name, v in rates.items()}
    return found


if __name__ == "__main__":
    main()
