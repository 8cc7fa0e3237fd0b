"""zoohub's road from a cached file to a network, beside mindcv's on the same file.

    python tests/benchmarks/bench_load.py [--work DIR] [--rounds 5] [--json]

Of mindcv 0.3.0 and safetensors those that are installed take part. Each measurement is a fresh
process that has imported MindSpore; the roads take turns; figures are medians. `touched` means that
every page of every parameter was read after loading, so that nothing is left for the first forward
pass.
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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers import MODULES, is_here

if TYPE_CHECKING:
    from zoohub.manifest.entry import NetworkSpec

# By the name that zoohub and mindcv share: how many times as fast zoohub is to be.
MODELS = {
    "resnet50": 8.0,
    "vit_l_16_224": 25.0,
    "xception": 10.0,  # depthwise
    "mobilenet_v3_large_100": 10.0,  # depthwise, and most of its operators differ
    "hrnet_w32": 10.0,  # some two thousand parameters
}


def anonymous_bytes() -> int:
    """Private memory of this process that no file backs (Linux)."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Anonymous line in smaps_rollup")


def drop_cache(path: Path) -> None:
    """Throw the file's pages out of the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def touch(net: Any) -> None:
    """Read one byte of every page of every parameter."""
    for parameter in net.get_parameters():
        parameter.asnumpy().reshape(-1)[::1024].sum()


# Roads: each prepares what is not measured and returns the function that is.


def definition(model: str) -> NetworkSpec:
    """zoohub's own network of that name; mindcv's parameters are called as the index says."""
    from zoohub.manifest.opening import open_index
    from zoohub.settings import load_settings

    spec = open_index(load_settings()).resolve(model).checkpoint.network
    assert spec is not None, f"no network for {model}"
    return spec


def zoohub_road(model: str, path: Path, *, published: bool = True) -> Callable[[], Any]:
    """As a file of the store, which is mapped."""
    from zoohub.networks import families, loading
    from zoohub.networks.loading import NetworkOptions

    spec = definition(model)
    families.find_family(spec.builder).load()  # importing the definition is not loading
    options = NetworkOptions(published=published)
    return lambda: loading.create_network(spec, path, options)[0]


def own_file_road(model: str, path: Path) -> Callable[[], Any]:
    """As a file of the user's own, which may change under us: it is read and checked."""
    return zoohub_road(model, path, published=False)


def mindcv_road(model: str, path: Path) -> Callable[[], Any]:
    import mindspore as ms
    from mindcv.models import create_model

    def load() -> Any:
        net = create_model(model)
        ms.load_param_into_net(net, ms.load_checkpoint(str(path)))
        net.set_train(False)
        return net

    return load


def read_road(model: str, path: Path) -> Callable[[], Any]:
    def read() -> None:
        buffer = memoryview(bytearray(1 << 22))
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    return read


def safetensors_road(model: str, path: Path) -> Callable[[], Any]:
    from safetensors.numpy import load_file

    return lambda: load_file(path.with_suffix(".safetensors"))


def weights_road(model: str, path: Path) -> Callable[[], Any]:
    from zoohub.checkpoint import load_weights

    return lambda: load_weights(path, published=True)


ROADS = {
    "zoohub": zoohub_road,
    "own_file": own_file_road,
    "mindcv": mindcv_road,
    "read": read_road,
    "safetensors": safetensors_road,
    "load_weights": weights_road,
}
NETWORKS = ("zoohub", "own_file", "mindcv")  # what these give; the others give bytes or arrays


def work(road: str, model: str, path: Path, *, cold: bool) -> dict[str, float]:
    """One measurement, in this process."""
    if road in NETWORKS:
        import mindspore as ms

        ms.Tensor([1.0]) + 1  # MindSpore's own start-up belongs to neither road
    load = ROADS[road](model, path)
    if cold:
        drop_cache(path)
    before = anonymous_bytes()
    start, cpu = time.perf_counter(), time.process_time()
    result = load()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    private = anonymous_bytes() - before
    touched = seconds
    if road in NETWORKS:
        touch(result)
        touched = time.perf_counter() - start
    return {"seconds": seconds, "cpu": cpu, "touched": touched, "private": private}


def measure(road: str, model: str, path: Path, *, cold: bool = False) -> dict[str, float]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--worker", road, model, str(path)]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "GLOG_v": "3"}
    done = subprocess.run(
        command + (["--cold"] if cold else []),
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def save(model: str, path: Path) -> None:
    """The model's file in both formats, saved by MindSpore from mindcv's own network where that is
    installed, else from zoohub's."""
    import mindspore as ms

    from zoohub.checkpoint import open_checkpoint, write_safetensors

    if is_here("mindcv"):
        from mindcv.models import create_model

        net = create_model(model)
    else:
        from zoohub.networks.loading import create_network

        net = create_network(definition(model), None)[0]
    ms.save_checkpoint(net, str(path))
    write_safetensors(path.with_suffix(".safetensors"), open_checkpoint(path))


def prepare(model: str, folder: Path) -> Path:
    """The model's file, saved once by a process of its own."""
    path = folder / f"{model}.ckpt"
    if not path.exists():
        command = [sys.executable, __file__, "--save", model, str(path)]
        subprocess.run(command, check=True, env={**os.environ, "GLOG_v": "3"})
    for file in (path, path.with_suffix(".safetensors")):
        file.read_bytes()  # into the page cache
    return path


def compare(model: str, path: Path, rounds: int, roads: list[str]) -> dict[str, Any]:
    """All figures for one model."""
    warm: dict[str, list[dict[str, float]]] = {road: [] for road in roads}
    for _ in range(rounds):
        for road in roads:
            warm[road].append(measure(road, model, path))

    def median(road: str, key: str = "seconds") -> float:
        return statistics.median(run[key] for run in warm[road])

    cold_load, cold_read = [], []
    for _ in range(rounds):
        cold_read.append(measure("read", model, path, cold=True)["seconds"])
        cold_load.append(measure("zoohub", model, path, cold=True))
    cold = statistics.median(run["touched"] for run in cold_load)
    once = statistics.median(cold_read)
    size = path.stat().st_size
    return {
        "size_mb": size / 1e6,
        **{f"{road}_s": median(road) for road in roads},
        "zoohub_touched_s": median("zoohub", "touched"),
        **(beside_mindcv(model, median) if "mindcv" in roads else {}),
        "private_mb": median("zoohub", "private") / 1e6,
        "private_share": median("zoohub", "private") / size,
        "cold_load_s": statistics.median(run["seconds"] for run in cold_load),
        "cold_touched_s": cold,
        "cold_read_s": once,
        "cold_ratio": cold / (once + median("zoohub")),
    }


def beside_mindcv(model: str, median: Callable[..., float]) -> dict[str, float]:
    """The figures that are mindcv's, or need them."""
    return {
        "mindcv_touched_s": median("mindcv", "touched"),
        "ratio": median("mindcv") / median("zoohub"),
        "ratio_touched": median("mindcv", "touched") / median("zoohub", "touched"),
        "ratio_cpu": median("mindcv", "cpu") / median("zoohub", "cpu"),
        **({"target": MODELS[model]} if model in MODELS else {}),
        "mindcv_private_mb": median("mindcv", "private") / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "zoohub-bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", nargs=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--save", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        road, model, path = options.worker
        print(json.dumps(work(road, model, Path(path), cold=options.cold)))
        return
    if options.save:
        save(options.save[0], Path(options.save[1]))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    roads = [road for road in ROADS if road not in MODULES or is_here(road)]
    for model in options.models:
        figures = compare(model, prepare(model, options.work), options.rounds, roads)
        if options.json:
            print(json.dumps({"model": model, **figures}))
            continue
        print(model)
        for name, value in figures.items():
            print(f"  {name:20} {value:10.3f}")


if __name__ == "__main__":
    main()
