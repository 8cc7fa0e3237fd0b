"""`mirror sync` of an up-to-date mirror: time, and requests for files (there must be none).

    python tests/benchmarks/bench_mirror.py [ENTRIES]

The mirror has one small file for each entry; the index is a compiled one, as `ZOOHUB_INDEX` takes
it. The command runs as a process of its own, five times, interpreter's start included.
"""

from __future__ import annotations

import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from zoohub.manifest.interchange import Header, write_interchange
from zoohub.mirror import make_server

LIMIT = 3.0
START = "from zoohub.cli.main import entry_point; entry_point()"


def main(entries: int) -> int:
    """Measure; the exit code tells whether the limit was kept."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        requests: list[str] = []
        (root / "origin").mkdir()
        server = make_server(root / "origin", log=requests.append)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _make_zoo(root, server.url, entries)
        environment = {
            **os.environ,
            "ZOOHUB_HOME": str(root / "home"),
            "ZOOHUB_INDEX": str(root / "index.jsonl.gz"),
        }
        command = [sys.executable, "-c", START, "mirror", "sync", str(root / "mirror"), "bench_*"]

        first = _timed([*command, "--jobs", "8"], environment)
        print(f"first sync of {entries} files: {first:.1f} s, {len(requests)} requests")
        requests.clear()
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        times = [_timed(command, environment) for _ in range(5)]
        busy = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / 5
        server.shutdown()
    median = statistics.median(times)
    shown = ", ".join(f"{seconds:.2f}" for seconds in times)
    print(f"up to date: median {median:.2f} s of {shown} ({busy:.2f} s of processor time each)")
    print(f"requests for files: {len(requests)}")
    return 0 if median < LIMIT and not requests else 1


def _make_zoo(root: Path, url: str, entries: int) -> None:
    models = []
    for number in range(entries):
        name = f"bench_{number:06d}"
        data = hashlib.sha256(name.encode()).digest() * 32
        path = f"{name[-2:]}/{name}.ckpt"
        file = root / "origin" / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        checkpoint = {
            "id": "lab",
            "format": "ckpt",
            "sources": [f"{url}/{path}"],
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "dataset": "imagenet2012",
            "metrics": {"top1": 70.0},
            "licence": "Apache-2.0",
            "records": [{"uid": f"lab/{name}", "url": f"{url}/{path}", "publisher": "lab"}],
        }
        model = {"model": name, "family": "bench", "task": "image-classification"}
        models.append({**model, "default": "lab", "checkpoints": [checkpoint]})
    write_interchange(root / "index.jsonl.gz", Header(), models)


def _timed(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
