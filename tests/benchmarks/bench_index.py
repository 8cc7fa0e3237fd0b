"""The index at the size it is planned for: one million checkpoints, and the real one.

    python tests/benchmarks/bench_index.py [--checkpoints 1000000] [--folder DIR]

Generates a compiled index, builds its database in a process of its own (time and peak memory),
then measures resolve, search, listing and the memory they take in another. Also compiles the
real YAML. Prints one line a figure; exits 1 if one misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zoohub.manifest.build import compile_folder
from zoohub.manifest.database import Database
from zoohub.manifest.database_build import write_database
from zoohub.manifest.index import Index, Layer
from zoohub.manifest.interchange import Header, write_interchange
from zoohub.manifest.opening import open_index
from zoohub.manifest.places import checkout_index
from zoohub.manifest.reading import read_rows
from zoohub.settings import load_settings

PER_MODEL = 4
TASKS = ("image-classification", "object-detection", "face-detection", "speech-recognition")
DATASETS = ("imagenet2012", "coco2017", "widerface", "aishell", "cifar10")
WORDS = ("residual", "mobile", "transformer", "face", "arabic", "speech", "dense", "tiny")


def models(checkpoints: int) -> Iterator[dict[str, Any]]:
    """Compiled models like the real ones, sorted by name."""
    chance = random.Random(0)
    for number in range(checkpoints // PER_MODEL):
        name = f"net{number:07}"
        yield {
            "model": name,
            "family": f"family{number // 8:06}",
            "task": TASKS[number % len(TASKS)],
            "default": "lab",
            "aliases": [f"Net-{number:07}"],
            "description": " ".join(chance.choices(WORDS, k=4)),
            "network": {"builder": "resnet", "arguments": {"depth": 50}, "parameters": "lab"},
            "checkpoints": [checkpoint(name, which, number, chance) for which in range(PER_MODEL)],
        }


def checkpoint(name: str, which: int, number: int, chance: random.Random) -> dict[str, Any]:
    """One checkpoint with one record, as long as the real ones."""
    id = ("lab", "lab-910v2", "r1.10-imagenet2012", "r1.8-cifar10")[which]
    url = f"https://download.example.org/models/{name}/{name}_ascend_imagenet2012_{id}.ckpt"
    dataset = DATASETS[number % len(DATASETS)]
    record = {
        "uid": f"lab/{id}/{name}_{dataset}",
        "url": url,
        "dataset": dataset,
        "metrics": {"top1": 76.5, "top5": 93.1},
        "mindspore": "2.3",
        "repository": "github.com/example/lab",
        "ref": "v0.4.0",
        "path": "configs/net",
        "publisher": "lab",
    }
    return {
        "id": id,
        "format": "ckpt",
        "publisher": "lab",
        "sources": [url],
        "sha256": f"{chance.getrandbits(256):064x}",
        "dataset": dataset,
        "metrics": {"top1": 76.5, "top5": 93.1},
        "licence": "Apache-2.0",
        "mindspore": "2.3",
        "records": [record],
    }


def build(folder: Path) -> dict[str, float]:
    """Interchange form to database, as a client does it."""
    (folder / "index.sqlite").unlink(missing_ok=True)
    start = time.perf_counter()
    header, rows = read_rows(folder / "index.jsonl.gz")
    write_database(folder / "index.sqlite", rows, {"serial": header.serial})
    seconds = time.perf_counter() - start
    # On a busy machine the two differ; `cpu` is that of the helping processes too.
    size = (folder / "index.sqlite").stat().st_size / 1e6
    cpu = sum(os.times()[:4])
    return {"seconds": seconds, "cpu_s": cpu, "peak_mb": peak_mb(), "file_mb": size}


def peak_mb() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def milliseconds(call: Callable[[], Any], times: int) -> float:
    """The median over `times` calls."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took)


def query(folder: Path) -> dict[str, float]:
    """Everything a user asks of a built database."""
    start = time.perf_counter()
    index = Index((Layer("bench", Database(folder / "index.sqlite")),))
    count = len(index)
    found = {"open_ms": (time.perf_counter() - start) * 1e3}
    chance = random.Random(1)

    def name() -> str:
        return f"net{chance.randrange(count):07}"

    found["resolve_ms"] = milliseconds(lambda: index.resolve(name()), 200)
    found["resolve_id_ms"] = milliseconds(lambda: index.resolve(f"{name()}@1.8"), 200)
    found["resolve_loose_ms"] = milliseconds(lambda: index.resolve(name().upper()), 200)
    uids = [next(index.list(name())).checkpoints[1].records[0].uid for _ in range(50)]
    found["resolve_uid_ms"] = milliseconds(lambda: index.resolve(chance.choice(uids)), 200)
    for label, text in (
        ("one_name", "net0012345"),
        ("common_word", "residual"),
        ("every_model", "imagenet2012"),
        ("two_words", "face detection"),
        ("nothing", "zzz qqq"),
    ):
        found[f"search_{label}_ms"] = milliseconds(lambda text=text: index.search(text, 20), 5)
    for label, filters in (("all", {}), ("filtered", {"dataset": "coco2017", "source": "lab"})):
        start = time.perf_counter()
        next(index.list(**filters))
        found[f"list_{label}_first_ms"] = (time.perf_counter() - start) * 1e3
    before = peak_mb()
    start = time.perf_counter()
    listed = sum(1 for _ in index.summaries())
    found["list_whole_s"] = time.perf_counter() - start
    assert listed == count
    found["list_whole_more_mb"] = peak_mb() - before
    for order in ("size", "metric"):
        start = time.perf_counter()
        assert sum(1 for _ in index.summaries(order=order)) == count
        found[f"list_by_{order}_s"] = time.perf_counter() - start
    found["list_sorted_more_mb"] = peak_mb() - before
    found["peak_mb"] = peak_mb()
    return found


def commands(folder: Path) -> dict[str, float]:
    """Whole processes, with this index in force: seconds and peak memory."""
    from zoohub.settings import Settings
    from zoohub.store import Store

    environ = {**os.environ, "ZOOHUB_HOME": str(folder / "home")}
    environ["ZOOHUB_INDEX"] = str(folder / "index.jsonl.gz")
    run = [sys.executable, "-c", "from zoohub.cli.main import entry_point as e; e()", "list"]
    subprocess.run([*run, "--limit", "1"], env=environ, check=True, stdout=subprocess.DEVNULL)
    index = open_index(Settings(folder / "home", indexes=(environ["ZOOHUB_INDEX"],)))
    store = Store(folder / "home")
    for number in range(100):
        sha256 = index.entry(f"net{number * 7:07}").checkpoints[0].sha256
        blob = store.layout.blob(str(sha256), "ckpt")
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(b"x")
    found = {}
    for name, options in {
        "list": [],
        "list_size": ["--sort", "size"],
        "list_metric": ["--sort", "metric"],
        "list_cached": ["--cached"],
    }.items():
        start = time.perf_counter()
        code = "import resource as r, sys; from zoohub.cli.main import main; "
        code += "main(sys.argv[1:]); print(r.getrusage(r.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        done = subprocess.run(
            [sys.executable, "-c", code, "list", *options],
            env=environ,
            check=True,
            capture_output=True,
        )
        found[f"{name}_s"] = time.perf_counter() - start
        found[f"{name}_rows"] = done.stdout.count(b"\n") - 1
        found[f"{name}_peak_mb"] = int(done.stderr.split()[-1]) / 1024
    return found


def real() -> dict[str, float]:
    """The checkout's own YAML."""
    folder = checkout_index()
    if folder is None:
        return {}
    start = time.perf_counter()
    compiled = compile_folder(folder)
    seconds = time.perf_counter() - start
    checkpoints = sum(len(model.get("checkpoints", ())) for model in compiled)
    index = open_index(load_settings())
    index.resolve("resnet50")
    return {
        "seconds": seconds,
        "models": len(compiled),
        "checkpoints_per_s": checkpoints / seconds,
        "resolve_ms": milliseconds(lambda: index.resolve("resnet50"), 50),
        "resolve_uid_ms": milliseconds(
            lambda: index.resolve("mindspore/1.10/resnet50_imagenet2012"), 50
        ),
    }


LIMITS = {
    "build seconds": 60,
    "build peak_mb": 1000,
    "build file_mb": 1000,
    "real seconds": 5,
    "query peak_mb": 300,
    "query list_whole_more_mb": 50,
    "query list_sorted_more_mb": 50,
    "commands list_size_s": 3,
    "commands list_metric_s": 3,
    "commands list_cached_s": 3,
}


def limit(name: str) -> float | None:
    """What a figure may be at most."""
    if name in LIMITS:
        return LIMITS[name]
    if "resolve" in name:
        return 5
    return 100 if name.startswith(("query search", "query list")) and name.endswith("ms") else None


def main() -> int:
    """Run all parts, each that measures memory in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the files here")
    parser.add_argument(
        "--part", choices=("build", "query", "commands", "real"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.part:
        part = {"build": build, "query": query, "commands": commands}.get(options.part)
        print(json.dumps(part(options.folder) if part else real()))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        written = write_interchange(
            folder / "index.jsonl.gz", Header(serial=1), models(options.checkpoints)
        )
        print(f"generated {written} models in {time.perf_counter() - start:.1f} s")
        missed = 0
        for part in ("build", "query", "commands", "real"):
            command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            for key, value in json.loads(out).items():
                name = f"{part} {key}"
                most = limit(name)
                late = most is not None and value > most
                missed += late
                bound = f" (at most {most:g}){' MISSED' if late else ''}" if most else ""
                print(f"{name}: {value:,.2f}{bound}")
        size = (folder / "index.jsonl.gz").stat().st_size / 1e6
        print(f"interchange form: {size:,.0f} MB")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
