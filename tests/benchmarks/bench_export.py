"""Every registered network in every graph format: difference, size, and times.

    python tests/benchmarks/bench_export.py [PATTERN…] [--size N] [--repeats N]
    python tests/benchmarks/bench_export.py --peer PYTHON

The first prints a table, a row for each network, format and kind of shape, and ends with exit code
1 if any cell failed. Weights follow from the parameters' names; each network runs in a process of
its own. `difference` is the largest of two checked inputs, over the largest value of its output;
`run` is the exported file on its own runtime (onnxruntime, MindSpore's GraphCell), `PyNative` the
network itself, both one input at a time, the median of the repeats after one run to warm up.

The second compares with mindcv's networks, exported by `mindspore.onnx.export` in the environment
of PYTHON (with mindcv 0.3.0 in it), all files run in turn by the same onnxruntime.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Every registered builder, every size it comes in; the input is the publisher's (P6: 1280).
NETWORKS: dict[str, tuple[str, dict[str, Any], int]] = {
    "lenet5": ("lenet", {}, 32),
    **{
        f"mobilenet_v2_{round(100 * width):03}": ("mobilenet_v2", {"width": width}, 224)
        for width in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
    },
    **{f"resnet{depth}": ("resnet", {"depth": depth}, 224) for depth in (18, 34, 50, 101, 152)},
    "resnet50 (models)": ("resnet", {"conv_padding": "same", "bn_eps": 1e-4}, 224),
    "resnet18 (models)": ("resnet", {"depth": 18, "pool_padding": "symmetric"}, 224),
    **{f"yolov5{size}": ("yolov5", {"size": size}, 640) for size in "nsmlx"},
    **{f"yolov5{size}6": ("yolov5", {"size": f"{size}6"}, 1280) for size in "nsmlx"},
    **{f"yolov5{size} (focus)": ("yolov5_focus", {"size": size}, 640) for size in "smlx"},
}
SHAPES = {
    "static": frozenset[str](),
    "batch": frozenset({"batch"}),
    "size": frozenset({"batch", "height", "width"}),
}
FORMATS = ("mindir", "onnx")
HEADER = ("network", "format", "open", "difference", "MB", "export s", "run ms", "PyNative ms")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--size", type=int, help="an input size for all but lenet5")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return bench_one(options.one, options.size, options.repeats)
    if options.peer:
        return bench_peer(options.peer, options.repeats)
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    failed = 0
    for name in NETWORKS:
        if any(fnmatch.fnmatch(name, pattern) for pattern in options.patterns):
            command = [sys.executable, __file__, "--one", name, "--repeats", str(options.repeats)]
            command += ["--size", str(options.size)] if options.size else []
            failed += bool(subprocess.run(command, check=False).returncode)
    return bool(failed)


def bench_one(name: str, size: int | None, repeats: int) -> int:
    """All rows of one network; the exit code says whether one failed."""
    from zoohub.errors import ExportError

    builder, arguments, own_size = NETWORKS[name]
    side = own_size if size is None or own_size == 32 else size
    net, channels_last = make(builder, arguments, side)
    shape = (1, side, side, 3) if channels_last else (1, 1 if side == 32 else 3, side, side)
    x = np.random.default_rng(0).random(shape, dtype=np.float32) * (255 if channels_last else 1)
    from zoohub.inference.runner import CellRunner

    cell = CellRunner(net, "pynative")
    pynative = milliseconds(lambda: cell.run(x), repeats)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for format in FORMATS:
            for kind, dynamic in SHAPES.items():
                if kind == "size" and builder == "lenet":
                    continue  # its dense layers fix the size
                try:
                    row = bench_export(net, Path(folder) / f"net.{format}", dynamic, x, repeats)
                except ExportError as error:
                    failures += 1
                    row = (f"FAILED: {error}", "", "", "")
                cells = (name, format, kind, *row, f"{pynative:.0f}")
                print("| " + " | ".join(cells) + " |", flush=True)
    return failures


def bench_export(
    net: Any, path: Path, dynamic: frozenset[str], x: Any, repeats: int
) -> tuple[str, str, str, str]:
    from zoohub.exporting import export_with_report
    from zoohub.inference.runner import open_runner

    done = export_with_report(net, path, dynamic=dynamic, check=True)
    runner = open_runner(path)
    run = milliseconds(lambda: runner.run(x), repeats)
    assert done.difference is not None
    return (
        f"{done.difference.value:.1e}",
        f"{done.size / 1e6:.1f}",
        f"{done.seconds:.1f}",
        f"{run:.1f}",
    )


def make(builder: str, arguments: dict[str, Any], side: int) -> tuple[Any, bool]:
    """A network with weights by rule and the facts an export needs, and whether it takes NHWC."""
    from zoohub.manifest.entry import Entry, InputContract
    from zoohub.networks.registry import find_builder
    from zoohub.provenance import Provenance

    net = fill(find_builder(builder).load()(**arguments))
    channels_last = builder == "yolov5_focus"
    task = "object-detection" if builder.startswith("yolo") else "image-classification"
    contract = InputContract(
        size=(side, side),
        channels=1 if side == 32 else 3,
        layout="NHWC" if channels_last else "NCHW",
        value_range="0..255" if channels_last else "0..1",
    )
    entry = Entry(model=builder, family=builder, task=task, default=None)
    net.zoohub = Provenance(entry, None, contract, None, None, None)
    return net, channels_last


def fill(net: Any) -> Any:
    """Weights that follow from the parameters' names, in a range that keeps outputs of order 1."""
    from mindspore import Tensor

    for parameter in net.get_parameters():
        if not parameter.requires_grad and "moving" not in parameter.name:
            continue
        rng = np.random.default_rng(zlib.crc32(parameter.name.encode()))
        if parameter.name.endswith(("gamma", "moving_variance")):
            value = rng.uniform(0.5, 1.5, parameter.shape)
        elif parameter.name.endswith(("beta", "bias", "moving_mean")):
            value = 0.1 * rng.standard_normal(parameter.shape)
        else:
            fan_in = np.prod(parameter.shape[1:]) or 1
            value = rng.standard_normal(parameter.shape) / np.sqrt(fan_in)
        parameter.set_data(Tensor(value.astype(np.float32)))
    return net.set_train(False)


def milliseconds(run: Callable[[], Any], repeats: int) -> float:
    """The median time of a call, after one that is not counted."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


PEER = """
import json, sys, time
import mindspore as ms, mindspore.onnx, numpy as np
from mindcv.models import create_model
net = create_model(sys.argv[1]).set_train(False)
x = ms.Tensor(np.zeros((1, 3, 224, 224), np.float32))
start, cpu = time.perf_counter(), time.process_time()
try:
    ms.onnx.export(net, x, file_name=sys.argv[2], input_names=["images"])
except RuntimeError as error:
    print(json.dumps({"error": str(error).splitlines()[0]}))
else:
    print(json.dumps([time.perf_counter() - start, time.process_time() - cpu]))
"""
PEER_MODELS = ("resnet50", "resnet18", "mobilenet_v2_100")


def bench_peer(python: str, repeats: int) -> int:
    """Exports by zoohub, by mindcv with MindSpore's exporter, and by that of zoohub's networks.

    The files run in turn on one onnxruntime, on one thread. Seconds are wall / processor.
    """
    import mindspore.onnx

    from zoohub.exporting import export_with_report

    picture = np.random.default_rng(0).random((1, 3, 224, 224), dtype=np.float32)
    for model in PEER_MODELS:
        builder, arguments, side = NETWORKS[model]
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: Path(folder) / f"{name}.onnx" for name in ("zoohub", "same", "mindcv")}
            net, _ = make(builder, arguments, side)
            for turn in range(3):
                start, cpu = time.perf_counter(), time.process_time()
                export_with_report(net, paths["zoohub"])
                wall, used = time.perf_counter() - start, time.process_time() - cpu
                print(f"{model}: zoohub, export {turn + 1}: {wall:.1f} / {used:.1f} s", flush=True)
            start, cpu = time.perf_counter(), time.process_time()
            mindspore.onnx.export(
                net,
                mindspore.Tensor(picture),
                file_name=str(paths["same"]),
                input_names=["images"],
            )
            wall, used = time.perf_counter() - start, time.process_time() - cpu
            print(f"{model}: zoohub's network by mindspore.onnx.export: {wall:.1f} / {used:.1f} s")
            done = subprocess.run(
                [python, "-c", PEER, model, str(paths["mindcv"])],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"{model}: mindcv's by mindspore.onnx.export: {done.stdout.splitlines()[-1]}")
            run_in_turn({k: p for k, p in paths.items() if p.is_file()}, picture, repeats)
    return 0


def run_in_turn(paths: dict[str, Path], picture: Any, repeats: int) -> None:
    """Print each file's least processor time on one thread: other work on the machine comes and
    goes, and this does not count it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        name: onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for name, path in paths.items()
    }
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(1 + repeats):
        for name, session in sessions.items():
            start = time.thread_time()
            session.run(None, {"images": picture})
            times[name].append(1000 * (time.thread_time() - start))
    for name, values in times.items():
        print(f"  {name}: {min(values[1:]):.1f} ms a picture on one thread", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    sys.exit(main())
