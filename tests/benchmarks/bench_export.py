"""Every registered network in every graph format: difference, size, and times.

    python tests/benchmarks/bench_export.py [PATTERN…] [--results FILE] [--parts difference,times]
    python tests/benchmarks/bench_export.py --table FILE
    python tests/benchmarks/bench_export.py --peer PYTHON [PATTERN…]

The first measures each network, format and kind of shape in a process of its own and prints a
table; exit code 1 if any cell failed. With `--results` each measurement is a JSON line added to
FILE, and what FILE has is not measured again: the long table is made in several calls, of which
`--table` prints what there is. Weights follow from the parameters' names.

`difference` is the largest of two checked inputs, over the largest value of its output; it is
measured at up to 320 pixels (`--check-size`). Everything else is at the publisher's size: `export`
without a check; `run`, the exported file on its own runtime (onnxruntime, MindSpore's GraphCell);
`PyNative`, the network itself: one input at a time, the median of up to `--repeats` runs after one
to warm up, fewer where they would take more than three seconds.

The last compares with mindcv's networks, exported by `mindspore.onnx.export` in the environment
of PYTHON (with mindcv 0.3.0 in it), all files run in turn by the same onnxruntime.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
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
PARTS = ("difference", "times")
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure")
    parser.add_argument("--results", type=Path, metavar="FILE", help="kept, and gone on with")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print these results and end")
    parser.add_argument("--check-size", type=int, default=320)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--skip", nargs="*", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    wanted = [n for n in NETWORKS if any(fnmatch.fnmatch(n, p) for p in options.patterns)]
    if options.table:
        return print_table(wanted, read_results(options.table))
    if options.one:
        name, part = options.one
        measure = bench_difference if part == "difference" else bench_times
        for row in measure(name, options):
            print(json.dumps({"network": name, "part": part, **row}), flush=True)
        return 0
    if options.peer:
        return bench_peer(options.peer, [n for n in PEER_MODELS if n in wanted], options.repeats)
    check_complete()
    results = read_results(options.results) if options.results else []
    for name in wanted:
        for part in options.parts.split(","):
            mine = [row for row in results if (row["network"], row["part"]) == (name, part)]
            done = {f"{row.get('format')}:{row.get('open')}" for row in mine}
            if done >= {f"{format}:{kind}" for format, kind in cells(name)}:
                continue
            for row in in_own_process(name, part, sorted(done), options):
                results.append(row)
                if options.results:
                    with options.results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
            print(f"{name}: {part} done", file=sys.stderr, flush=True)
    return print_table(wanted, results)


def check_complete() -> None:
    """Refuse to make a table that leaves out a registered network."""
    from zoohub.networks.families import family_names

    missing = set(family_names()) - {n[0] for n in NETWORKS.values()}
    if missing:
        raise SystemExit(f"NETWORKS lacks the registered {', '.join(sorted(missing))}")


def in_own_process(
    name: str, part: str, done: Sequence[str], options: argparse.Namespace
) -> Iterator[Row]:
    """The rows of one network's part as they come, but those done; a crash is a row too."""
    command = [sys.executable, __file__, "--one", name, part, "--repeats", str(options.repeats)]
    command += ["--check-size", str(options.check_size), "--skip", *done]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    if process.returncode:
        yield {"network": name, "part": part, "failed": f"exit code {process.returncode}"}


def read_results(path: Path) -> list[Row]:
    """The measurements of earlier calls."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def print_table(names: Sequence[str], results: Sequence[Row]) -> int:
    """Print a row for each network, format and kind of shape; 1 if one failed or is missing."""
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER))
    failed = 0
    for name in names:
        own = [row for row in results if row["network"] == name]
        for row in own:
            if "failed" in row:
                failed += 1
                print(f"| {name} | {row.get('format', '')} | {row.get('open', '')} | "
                      f"FAILED: {row['failed']} | | | | |")  # fmt: skip
        for format, kind in cells(name):
            found: Row = {}
            for row in own:
                if (row.get("format"), row.get("open")) == (format, kind):
                    found |= row
            failed += "difference" not in found or "run_ms" not in found
            print(
                f"| {name} | {format} | {kind} | {found.get('difference', '')} | "
                f"{found.get('mb', '')} | {found.get('export_s', '')} | "
                f"{found.get('run_ms', '')} | {found.get('pynative_ms', '')} |"
            )
    return bool(failed)


def cells(name: str, skip: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The formats and kinds of shape of one network; LeNet's dense layers fix its size."""
    kinds = [kind for kind in SHAPES if kind != "size" or NETWORKS[name][0] != "lenet"]
    pairs = [(format, kind) for format in FORMATS for kind in kinds]
    return [pair for pair in pairs if ":".join(pair) not in skip]


def bench_difference(name: str, options: argparse.Namespace) -> Iterator[Row]:
    """How far each file's outputs are from the network's; the shapes are small, see above."""
    builder, arguments, own_size = NETWORKS[name]
    net, _ = make(builder, arguments, min(own_size, options.check_size))
    for format, kind in cells(name, options.skip):
        row: Row = {"format": format, "open": kind}
        with tempfile.TemporaryDirectory() as folder:
            row |= exported(net, Path(folder) / f"net.{format}", SHAPES[kind], check=True)
        yield {k: v for k, v in row.items() if k != "export_s"}


def bench_times(name: str, options: argparse.Namespace) -> Iterator[Row]:
    """How long each export takes, and a run of it, at the publisher's size."""
    from zoohub.running import CellRunner, open_runner

    builder, arguments, side = NETWORKS[name]
    net, channels_last = make(builder, arguments, side)
    shape = (1, side, side, 3) if channels_last else (1, 1 if side == 32 else 3, side, side)
    x = np.random.default_rng(0).random(shape, dtype=np.float32) * (255 if channels_last else 1)
    cell = CellRunner(net, "pynative")
    pynative = milliseconds(lambda: cell.run({"image": x}), options.repeats)
    for format, kind in cells(name, options.skip):
        row: Row = {"format": format, "open": kind, "pynative_ms": f"{pynative:.1f}"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"net.{format}"
            row |= exported(net, path, SHAPES[kind], check=False)
            if "failed" not in row:
                runner = open_runner(path)
                run = milliseconds(lambda runner=runner: runner.run({"image": x}), options.repeats)
                row["run_ms"] = f"{run:.1f}"
                del runner
        yield row


def exported(net: Any, path: Path, dynamic: frozenset[str], *, check: bool) -> Row:
    """Export once: what is known of the file, or why there is none."""
    from zoohub.errors import ExportError
    from zoohub.exporting import export_with_report

    try:
        done = export_with_report(net, path, dynamic=dynamic, check=check)
    except ExportError as error:
        return {"failed": str(error)}
    row = {"mb": f"{done.size / 1e6:.1f}", "export_s": f"{done.seconds:.1f}"}
    if done.difference is not None:
        row["difference"] = f"{done.difference.value:.1e}"
    return row


def make(builder: str, arguments: dict[str, Any], side: int) -> tuple[Any, bool]:
    """A network with weights by rule and the facts an export needs, and whether it takes NHWC."""
    from zoohub.manifest.entry import Entry, InputContract
    from zoohub.models.provenance import Provenance
    from zoohub.networks.families import find_family

    net = fill(find_family(builder).load()(**arguments))
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
    """The median time of a call, after one that is not counted; at most three seconds of them."""
    run()
    times: list[float] = []
    while len(times) < repeats and (not times or sum(times) + times[-1] < 3000):
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


def bench_peer(python: str, models: Sequence[str], repeats: int) -> int:
    """Exports by zoohub, by mindcv with MindSpore's exporter, and by that of zoohub's networks.

    The files run in turn on one onnxruntime, on one thread. Seconds are wall / processor.
    """
    import mindspore.onnx

    from zoohub.exporting import export_with_report

    picture = np.random.default_rng(0).random((1, 3, 224, 224), dtype=np.float32)
    for model in models:
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
            command = [python, "-c", PEER, model, str(paths["mindcv"])]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            said = (done.stdout or done.stderr).strip().splitlines() or ["nothing"]
            print(f"{model}: mindcv's by mindspore.onnx.export: {said[-1]}")
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
