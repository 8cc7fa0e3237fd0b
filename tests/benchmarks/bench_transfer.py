"""How fast bytes come, beside the tools people would use instead. Run it on a quiet machine:

    python tests/benchmarks/bench_transfer.py            # all, about ten minutes
    python tests/benchmarks/bench_transfer.py small      # one of: large, limited, small, waiting

Of nginx, curl, aria2c and pooch those that are installed take part; `small` needs none. Everything
is on loopback; each figure is the median of alternating runs, and what is written is removed again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from peers import is_here

PORT = 8965
SIZE = 1 << 30
CONFIG = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log; sendfile on; tcp_nopush on; keepalive_requests 1000000;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp;
    fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        location /limited/ {{ alias {folder}/www/; limit_rate 20m; }}
    }}
}}
"""


class Nginx:
    """nginx on loopback with files to serve; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{PORT}"

    def __enter__(self) -> Nginx:
        for name in ("www", "tmp"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        config = self.folder / "nginx.conf"
        user = "user root;" if os.getuid() == 0 else ""  # its workers must read our folders
        config.write_text(user + CONFIG.format(folder=self.folder, port=PORT))
        self.process = subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def put(self, name: str, size: int) -> str:
        """Serve `size` random bytes; returns their SHA-256."""
        digest = hashlib.sha256()
        with (self.folder / "www" / name).open("wb") as file:
            while size:
                block = os.urandom(min(size, 1 << 24))
                digest.update(block)
                file.write(block)
                size -= len(block)
        return digest.hexdigest()


def fsync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def zoohub_fetch(url: str, sha256: str, folder: Path) -> None:
    """In a process of its own, as the others are; the time of its imports counts."""
    code = (
        "import sys; from pathlib import Path; from zoohub.manifest.entry import Checkpoint;"
        "from zoohub.settings import Settings; from zoohub.transfer import fetch;"
        "url, sha256, home = sys.argv[1:];"
        "fetch(Checkpoint('m', 'x', 'ckpt', (url,), 'sha256', sha256), Settings(home=Path(home)))"
    )
    subprocess.run([sys.executable, "-c", code, url, sha256, str(folder)], check=True)


def curl_fsync(url: str, sha256: str, folder: Path) -> None:
    subprocess.run(["curl", "-s", "-o", str(folder / "f"), url], check=True)
    fsync(folder / "f")


def aria2(url: str, sha256: str, folder: Path) -> None:
    command = ["aria2c", "-q", "-x8", "-s8", "-k1M", "-d", str(folder), "-o", "f", url]
    subprocess.run(command, check=True)


def pooch_retrieve(url: str, sha256: str, folder: Path) -> None:
    code = (
        "import sys, pooch; url, sha256, folder = sys.argv[1:];"
        "pooch.retrieve(url, 'sha256:' + sha256, fname='f', path=folder)"
    )
    subprocess.run(
        [sys.executable, "-c", code, url, sha256, str(folder)],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def retrieve_and_hash(url: str, sha256: str, folder: Path, show: str = "None") -> None:
    """urlretrieve, then read the whole file and hash it."""
    code = (
        "import sys, hashlib, urllib.request; url, sha256, path = sys.argv[1:];"
        f"urllib.request.urlretrieve(url, path, {show});"
        "assert hashlib.sha256(open(path, 'rb').read()).hexdigest() == sha256"
    )
    command = [sys.executable, "-c", code, url, sha256, str(folder / "f")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def hub_way(url: str, sha256: str, folder: Path) -> None:
    """MindSpore Hub's: the same, and a percentage is printed after each block of 8 KiB."""
    show = "lambda n, size, all: print(f'\\r{min(n * size / all, 1):6.1%}', end='')"
    retrieve_and_hash(url, sha256, folder, show)


def sha256_alone(nginx: Nginx, name: str) -> float:
    began = time.perf_counter()
    digest = hashlib.sha256()
    with (nginx.folder / "www" / name).open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return time.perf_counter() - began


Tool = Callable[[str, str, Path], None]
NEEDS = {"curl + fsync": "curl", "aria2c -x8 -s8": "aria2c", "pooch": "pooch"}


def compare(
    tools: dict[str, Tool], url: str, sha256: str, work: Path, rounds: int
) -> dict[str, float]:
    """Median seconds of each tool that is installed, the tools taking turns."""
    tools = {n: t for n, t in tools.items() if n not in NEEDS or is_here(NEEDS[n])}
    times: dict[str, list[float]] = {name: [] for name in tools}
    for _ in range(rounds):
        for name, tool in tools.items():
            folder = Path(tempfile.mkdtemp(dir=work))
            subprocess.run(["sync"], check=True)  # nobody pays for another's writes
            began = time.perf_counter()
            tool(url, sha256, folder)
            times[name].append(time.perf_counter() - began)
            shutil.rmtree(folder)
    for name, values in times.items():
        print(f"    {name:18} {' '.join(f'{value:6.2f}' for value in values)}")
    return {name: statistics.median(values) for name, values in times.items()}


def beside(text: str, median: dict[str, float], peer: str, wanted: float) -> None:
    """The verdict on a peer, where it took part."""
    if peer in median:
        verdict(text, median[peer] / median["zoohub"], wanted)


def verdict(text: str, ratio: float, wanted: float) -> None:
    print(
        f"{'ok  ' if ratio >= wanted else 'MISS'} {text}: {ratio:.2f} (wanted {wanted})", flush=True
    )


def large(nginx: Nginx, work: Path, rounds: int) -> None:
    """1 GB, one fast server, verification on."""
    sha256 = nginx.put("big.ckpt", SIZE)
    tools: dict[str, Tool] = {
        "zoohub": zoohub_fetch,
        "curl + fsync": curl_fsync,
        "pooch": pooch_retrieve,
        "MindSpore Hub's": hub_way,
        "urlretrieve + hash": retrieve_and_hash,
    }
    median = compare(tools, f"{nginx.url}/big.ckpt", sha256, work, rounds)
    limit = max(median.get("curl + fsync", 0.0), sha256_alone(nginx, "big.ckpt"))
    verdict("1 GB against curl + fsync (or SHA-256 alone)", limit / median["zoohub"], 0.8)
    for name in ("pooch", "MindSpore Hub's", "urlretrieve + hash"):
        beside(f"1 GB against {name}", median, name, 2.0)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"    (largest child process of any tool: {peak >> 10} MB)")
    code = (
        "import resource, sys; sys.argv[1:]; exec(sys.stdin.read());"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)"
    )
    folder = Path(tempfile.mkdtemp(dir=work))
    program = (
        "from pathlib import Path; from zoohub.manifest.entry import Checkpoint;"
        "from zoohub.settings import Settings; from zoohub.transfer import fetch;"
        f"fetch(Checkpoint('m', 'x', 'ckpt', ('{nginx.url}/big.ckpt',), 'sha256', '{sha256}'),"
        f" Settings(home=Path('{folder}')))"
    )
    memory = subprocess.run(
        [sys.executable, "-c", code], input=program, capture_output=True, text=True, check=True
    )
    shutil.rmtree(folder)
    verdict("120 MB against peak memory", 120 / int(memory.stdout), 1.0)


def limited(nginx: Nginx, work: Path, rounds: int) -> None:
    """1 GB from a server that gives each connection 20 MB/s."""
    sha256 = nginx.put("big.ckpt", SIZE)
    tools: dict[str, Tool] = {"zoohub": zoohub_fetch, "aria2c -x8 -s8": aria2}
    url = f"{nginx.url}/limited/big.ckpt"
    median = compare(tools, url, sha256, work, rounds)
    median |= compare({"curl + fsync": curl_fsync}, url, sha256, work, 1)
    beside("limited against aria2c", median, "aria2c -x8 -s8", 0.95)
    beside("limited against one connection", median, "curl + fsync", 7.0)


def small(work: Path, rounds: int) -> None:
    """500 small files from a server that answers after 20 ms."""
    import requests

    from zoohub.manifest.entry import Checkpoint
    from zoohub.settings import Settings
    from zoohub.transfer import fetch_many

    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from faulty_server import FaultyServer;"
        "import random; server = FaultyServer();"
        "[server.put(f'/{n}.ckpt', random.Random(n).randbytes(50_000), delay=0.02)"
        " for n in range(500)];"
        "print(server.url, flush=True); sys.stdin.read()"
    )
    helper = str(Path(__file__).resolve().parent.parent / "transfer")
    process = subprocess.Popen(
        [sys.executable, "-c", code, helper],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    import random

    base = process.stdout.readline().strip()
    checkpoints = []
    for number in range(500):
        sha256 = hashlib.sha256(random.Random(number).randbytes(50_000)).hexdigest()
        url = f"{base}/{number}.ckpt"
        checkpoints.append(Checkpoint("m", str(number), "ckpt", (url,), "sha256", sha256))
    loops, ours = [], []
    for _ in range(rounds):
        session = requests.Session()
        began = time.perf_counter()
        for checkpoint in checkpoints:
            session.get(checkpoint.sources[0]).raise_for_status()
        loops.append(time.perf_counter() - began)
        home = Path(tempfile.mkdtemp(dir=work))
        began = time.perf_counter()
        results = fetch_many(checkpoints, Settings(home=home))
        ours.append(time.perf_counter() - began)
        assert all(result.path for result in results)
        shutil.rmtree(home)
    process.terminate()
    process.wait()
    print(f"    requests.get loop  {' '.join(f'{value:6.2f}' for value in loops)}")
    print(f"    fetch_many         {' '.join(f'{value:6.2f}' for value in ours)}")
    ratio = statistics.median(loops) / statistics.median(ours)
    verdict("500 small files against a loop of requests.get", ratio, 4.0)


def waiting(nginx: Nginx, work: Path, rounds: int) -> None:
    """A second process that waits on the first: bytes the server sends, by its own log."""
    sha256 = nginx.put("wait.ckpt", 256 << 20)
    url = f"{nginx.url}/limited/wait.ckpt"
    before = sent(nginx, "wait.ckpt")
    home = Path(tempfile.mkdtemp(dir=work))
    code = (
        "import sys; from pathlib import Path; from zoohub.manifest.entry import Checkpoint;"
        "from zoohub.settings import Settings; from zoohub.transfer import fetch;"
        "url, sha256, home = sys.argv[1:];"
        "fetch(Checkpoint('m', 'x', 'ckpt', (url,), 'sha256', sha256), Settings(home=Path(home)))"
    )
    command = [sys.executable, "-c", code, url, sha256, str(home)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    time.sleep(0.5)
    extra = sent(nginx, "wait.ckpt") - before - (256 << 20)
    print(f"{'ok  ' if extra == 0 else 'MISS'} bytes sent for a second process: {extra} (wanted 0)")
    shutil.rmtree(home)


def sent(nginx: Nginx, name: str) -> int:
    """Bytes of bodies the server sent of a file ($body_bytes_sent of the combined log format)."""
    log = (nginx.folder / "access.log").read_text().splitlines()
    return sum(int(line.split('"')[2].split()[1]) for line in log if name in line)


def main() -> None:
    benchmarks = {"large": large, "limited": limited, "waiting": waiting}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", choices=["small", *benchmarks], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", type=Path, help="a folder on the disk to measure (default: /tmp)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoohub-bench-", dir=options.work) as text:
        folder = Path(text)
        wanted = options.which or ["small", *benchmarks]
        if "small" in wanted:
            print(f"small: {small.__doc__}")
            small(folder, options.rounds)
        rest = [name for name in wanted if name != "small"]
        if rest and is_here("nginx"):
            with Nginx(folder) as nginx:
                for name in rest:
                    print(f"{name}: {benchmarks[name].__doc__}")
                    benchmarks[name](nginx, folder, options.rounds)


if __name__ == "__main__":
    main()
