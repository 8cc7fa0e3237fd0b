"""Predicting from files to answers: zoohub beside mindcv's and mindyolo's way, and onnxruntime.

    python tests/benchmarks/bench_predict.py [--work DIR] [--rounds 5] [--pictures 1000] [--json]
        [--models resnet50] [--rows one many two] [--peer-pictures 100] [--peer-python PYTHON]
    python tests/benchmarks/bench_predict.py --models --rows flat [--inputs 100000]

No published file is needed: networks with random weights are saved as runs, which are names like
any other. `one` is a whole process for one picture, zoohub's second call (its first, which compiles
the network, is told apart); `many` is a folder of JPEGs of 500x375, in pictures a second, of which
`ready` is onnxruntime alone on arrays that are already there, and `reading` decoding and resizing
alone, on all cores. `two` is two such commands at once, each on half of the pictures, beside one on
all. The roads take turns; figures are medians. mindcv and mindyolo are measured where they are
installed: here, or for another Python. `flat` is the memory of one command over many small
pictures: after a tenth of them, and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

BATCH = 16
MODELS = {"resnet50": "mindcv", "mobilenet_v2_100": "mindcv", "yolov5s": "mindyolo"}
SMALL = "lenet5@digits"
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
READING = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoohub.predicting.predicting import MOST_THREADS
from zoohub.predicting.opening import open_predictor
from zoohub.core.threads import machine_threads
from zoohub.settings import load_settings
predictor = open_predictor(sys.argv[1], load_settings())
prepare = predictor.prepare(predictor.task.options())
files = [str(path) for path in sorted(Path(sys.argv[2]).iterdir())]
prepare(files[0])
began = time.perf_counter()
with ThreadPoolExecutor(min(MOST_THREADS, machine_threads())) as pool:
    for future in [pool.submit(prepare, file) for file in files]:
        future.result()
print(len(files) / (time.perf_counter() - began))
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
    data = create_dataset("imagenet", root=folder, split="", num_parallel_workers=2, shuffle=False)
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
    image = np.fromfile(picture, np.uint8)
    for step in transform:
        image = step(image)
    print(net(ms.Tensor(image[None])).asnumpy().argmax())
"""
# mindyolo's wheel brings no configuration: this is YOLOv5s as mindyolo writes it.
MINDYOLO = """
import sys
import mindspore as ms, numpy as np
from mindyolo.models import create_model
from mindyolo.utils.config import Config
from PIL import Image
name, weights, picture, folder = sys.argv[1:]
def conv(*given): return [-1, 1, "ConvNormAct", [*given]]
def c3(count, *given): return [-1, count, "C3", [*given]]
def join(place): return [[-1, place], 1, "Concat", [1]]
up = [-1, 1, "Upsample", [None, 2, "nearest"]]
config = Config({
    "model_name": "yolov5", "depth_multiple": 0.33, "width_multiple": 0.5, "stride": [8, 16, 32],
    "anchors": [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119],
                [116, 90, 156, 198, 373, 326]],
    "backbone": [conv(64, 6, 2, 2), conv(128, 3, 2), c3(3, 128), conv(256, 3, 2), c3(6, 256),
                 conv(512, 3, 2), c3(9, 512), conv(1024, 3, 2), c3(3, 1024),
                 [-1, 1, "SPPF", [1024, 5]]],
    "head": [conv(512, 1, 1), up, join(6), c3(3, 512, False), conv(256, 1, 1), up, join(4),
             c3(3, 256, False), conv(256, 3, 2), join(14), c3(3, 512, False), conv(512, 3, 2),
             join(10), c3(3, 1024, False),
             [[17, 20, 23], 1, "YOLOv5Head", ["nc", "anchors", "stride"]]],
})
net = create_model(model_name="yolov5", model_cfg=config, num_classes=80)
missing, _ = ms.load_param_into_net(net, ms.load_checkpoint(weights))
if missing:
    raise SystemExit(f"Error: {len(missing)} parameters are not in the file: {missing[:3]}")
net.set_train(False)
image = Image.open(picture).convert("RGB").resize((640, 640))
array = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
print(net(ms.Tensor(array))[0].asnumpy().shape)
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
    if MODELS.get(model) == "mindyolo":
        # One that has learnt leaves some tens of candidates; thousands would be measured else.
        for parameter in net.trainable_params():
            if parameter.shape == (3 * 85,):
                bias = parameter.asnumpy().reshape(3, 85).copy()
                bias[:, 4] = -6.0
                parameter.set_data(ms.Tensor(bias.reshape(-1)))
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


def timed(command: list[str], home: Path, python: str = sys.executable) -> tuple[float, str]:
    """Seconds of a whole process, and the last line of what it printed. As where it is installed,
    compiled Python is kept."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"ZOOHUB_HOME": str(home), "PYTHONPYCACHEPREFIX": str(home.parent / "pyc")}
    began = time.perf_counter()
    done = subprocess.run(
        [python, "-c", *command], capture_output=True, text=True, check=False, env=environ
    )
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if "Error" in line][:5]
        raise SystemExit("\n".join([f"{command[1:]} failed:", *told]))
    return time.perf_counter() - began, (done.stdout.strip().splitlines() or [""])[-1]


def rate(
    predict: list[str], inputs: Sequence[str], options: argparse.Namespace, home: Path
) -> float:
    """Pictures a second of `zoohub predict` over many: its start is counted too."""
    handle, out = tempfile.mkstemp(".jsonl", dir=options.work)
    os.close(handle)
    try:
        command = [*predict, *inputs, "--jsonl", out, "--resume", "-q"]
        return len(inputs) / timed(command, home)[0]
    finally:
        Path(out).unlink()


def at_once(
    predict: list[str], halves: Sequence[list[str]], options: argparse.Namespace, home: Path
) -> float:
    """Pictures a second of several such processes together."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(halves)) as pool:
        list(pool.map(lambda half: rate(predict, half, options, home), halves))
    return sum(map(len, halves)) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("bench-predict"))
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", nargs="*", default=["one", "many", "two"])
    parser.add_argument("--inputs", type=int, default=100_000, help="of `flat`")
    parser.add_argument("--peer-pictures", type=int, default=100, help="of `many`, for mindcv")
    parser.add_argument("--peer-python", default=sys.executable)
    options = parser.parse_args()
    home = options.work.resolve() / "home"
    pictures = make_pictures(options.work / "pictures", options.pictures)
    results = []
    for model in options.models:
        found = bench(model, options, home, pictures)
        results.append({"model": model, **found})
        if not options.json:
            tell(model, found)
    if "flat" in options.rows:
        grown = memory(options, home)
        results.append({"model": SMALL, **grown})
        if not options.json:
            tell(SMALL, grown)
    if options.json:
        print(json.dumps(results))


def tell(model: str, found: Mapping[str, object]) -> None:
    """The figures as lines."""
    print(model, *(f"  {name}: {value}" for name, value in found.items()), sep="\n", flush=True)


def memory(options: argparse.Namespace, home: Path) -> dict[str, object]:
    """Resident MB of a command on many pictures, by how much of its results is written."""
    folder, out = options.work / "small", options.work / "small.csv"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for place in range(1000):
        Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(folder / f"{place:03}.png")
    inputs = [str(folder)] * max(1, options.inputs // 1000)
    predict = [ZOOHUB, "predict", SMALL]
    timed([*predict, str(folder / "000.png")], home)
    out.unlink(missing_ok=True)
    program = [sys.executable, "-c", *predict, *inputs, "--top", "1", "--csv", str(out), "-q"]
    seen: list[tuple[int, float]] = []
    began = time.perf_counter()
    with subprocess.Popen(program, env={**os.environ, "ZOOHUB_HOME": str(home)}) as worker:
        pages = Path(f"/proc/{worker.pid}/statm")
        while worker.poll() is None:
            resident = int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            seen.append((out.stat().st_size if out.exists() else 0, resident))
            time.sleep(0.1)
    seconds, size = time.perf_counter() - began, out.stat().st_size
    return {
        "inputs": len(inputs) * 1000,
        "seconds": seconds,
        "after a tenth (MB)": next(mb for written, mb in seen if written >= size / 10),
        "at the end (MB)": max(mb for written, mb in seen if written >= size * 0.9),
    }


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
    python, weights = options.peer_python, str(run / "weights.ckpt")
    here = has_module(python, peer)
    if not here:
        found[peer] = "is not installed"
    if "one" in options.rows:
        roads: dict[str, Callable[[], float]] = {
            "zoohub": lambda: timed([*predict, picture, "--json"], home)[0],
            "onnxruntime alone": lambda: timed([ONNX, form, picture, "1", "0"], home)[0],
        }
        if here:
            command = [PEERS[peer], model, weights, picture, ""]
            roads[peer] = lambda: timed(command, home, python)[0]
        found |= {f"one, {n} (s)": v for n, v in in_turns(roads, options.rounds).items()}
    rounds = max(1, options.rounds // 2)
    if "many" in options.rows:
        ready = [ONNX, form, picture, str(BATCH), str(max(1, options.pictures // BATCH))]
        reading = [READING, str(run), str(pictures / "one")]
        roads = {
            "zoohub": lambda: rate(predict, files(pictures), options, home),
            "ready": lambda: float(timed(ready, home)[1]),
            "reading": lambda: float(timed(reading, home)[1]),
        }
        if here and peer == "mindcv":
            few = make_pictures(options.work / "few", options.peer_pictures)
            loop = [MINDCV, model, weights, picture, str(few)]
            roads[peer] = lambda: float(timed(loop, home, python)[1])
        many = in_turns(roads, rounds)
        # All of it on the same cores: no pipeline is faster than both one after the other.
        many["ready and reading"] = 1 / (1 / many["ready"] + 1 / many["reading"])
        found |= {f"many, {n} (a second)": v for n, v in many.items()}
    if "two" in options.rows:
        everything = files(pictures)[: options.pictures // 4 * 2]
        halves = everything[::2], everything[1::2]
        roads = {
            "one process": lambda: rate(predict, everything, options, home),
            "two at once": lambda: at_once(predict, halves, options, home),
        }
        found |= {f"two, {n} (a second)": v for n, v in in_turns(roads, rounds).items()}
    return found


def in_turns(roads: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each road's figures."""
    figures: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(rounds):
        for name, road in roads.items():
            figures[name].append(road())
    return {name: statistics.median(found) for name, found in figures.items()}


def files(pictures: Path) -> list[str]:
    """The pictures' files."""
    return sorted(str(path) for path in (pictures / "one").iterdir())


def has_module(python: str, name: str) -> bool:
    """Whether that Python has a module."""
    program = f"import importlib.util as u, sys; sys.exit(u.find_spec({name!r}) is None)"
    return subprocess.run([python, "-c", program], check=False).returncode == 0


if __name__ == "__main__":
    main()
