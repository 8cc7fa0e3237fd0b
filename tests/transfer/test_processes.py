"""Processes that are killed, stopped, or many: the file is right, and transferred once."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from faulty_server import FaultyServer

from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store import Store, TransferPolicy
from zoohub.store.maintenance import list_items, list_remains, plan_prune, prune
from zoohub.transfer import fetch

CLIENT = """
import json, sys
from pathlib import Path
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store import TransferPolicy
from zoohub.transfer import fetch
home, url, sha256, options, connections = sys.argv[1:]
checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
settings = Settings(home=Path(home), connections=int(connections))
print(fetch(checkpoint, settings, policy=TransferPolicy(**json.loads(options))))
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def start(home: Path, url: str, sha256: str, connections: int = 8, **policy: object):
    arguments = [sys.executable, "-c", CLIENT, str(home), url, sha256]
    arguments += [json.dumps(policy), str(connections)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def pace(server: FaultyServer, rate: float) -> None:
    """Let each connection have `rate` bytes a second."""
    server.before_part = lambda handler: time.sleep(65536 / rate)


def wait_for(condition, seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to that"
        time.sleep(0.005)


def until_sent(server: FaultyServer, count: int) -> None:
    wait_for(lambda: server.sent >= count, 60)


def download(home: str, url: str, sha256: str) -> None:
    settings = Settings(home=Path(home), connections=8)
    fetch(Checkpoint("m", "x", "ckpt", (url,), "sha256", sha256), settings)


def kill_and_resume(server, home, size: int, kills: int, seed: int) -> tuple[int, bytes, Path]:
    """Kill the client `kills` times at random points; returns bytes sent, content, path."""
    randomness = random.Random(seed)
    content = os.urandom(size)
    url = server.put(f"/{seed}.ckpt", content)
    sha256 = hashlib.sha256(content).hexdigest()
    before = server.sent
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoohub.transfer.fetch", "requests"])
    for point in sorted(randomness.randrange(size // 50, size) for _ in range(kills)):
        client = context.Process(target=download, args=(str(home), url, sha256))
        client.start()
        until_sent(server, before + point)
        client.kill()
        client.join()
        wait_for(lambda: server.active == 0)
    client = context.Process(target=download, args=(str(home), url, sha256))
    client.start()
    client.join()
    assert client.exitcode == 0
    path = Store(home).find(Checkpoint("m", "x", "ckpt", (url,), "sha256", sha256))
    return server.sent - before, content, path


@pytest.mark.slow
def test_a_client_killed_three_times_over_eight_connections_is_continued(server, tmp_path):
    pace(server, 8e6)
    sent, content, path = kill_and_resume(server, tmp_path, 24 << 20, 3, seed=1)
    assert path.read_bytes() == content
    assert list((tmp_path / "partial").iterdir()) == []
    assert sent - len(content) < 3 * 0.25 * len(content)


def refetched(server, home, size: int, kills: int, seeds: range) -> float:
    """Bytes fetched again after a kill, as a part of the file, on average."""
    again = 0
    for seed in seeds:
        sent, content, path = kill_and_resume(server, home, size, kills, seed)
        assert path.read_bytes() == content
        again += sent - len(content)
        path.unlink()
        server.resources.clear()
    assert list((home / "partial").iterdir()) == []
    average = again / (kills * len(seeds)) / size
    print(f"fetched again after a kill: {average:.2%} of the file on average")
    return average


@pytest.mark.slow
@pytest.mark.every
@pytest.mark.timeout(1800)
def test_fifty_kills_of_256_megabytes_cost_less_than_five_percent_on_average(server, tmp_path):
    pace(server, 20e6)
    assert refetched(server, tmp_path, 256 << 20, 25, range(100, 102)) < 0.05


@pytest.mark.slow
@needs_proc
def test_an_owner_stopped_beyond_the_limit_does_not_change_the_published_file(server, tmp_path):
    content = random.Random(3).randbytes(6 << 20)
    sha256 = hashlib.sha256(content).hexdigest()
    url = server.put("/a.ckpt", content)
    pace(server, 3e6)
    owner = start(tmp_path, url, sha256, connections=1, stale_after=1.0)
    wait_for(lambda: server.sent > 2 << 20)
    owner.send_signal(signal.SIGSTOP)
    server.before_part = lambda handler: None
    settings = Settings(home=tmp_path)
    checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
    policy = TransferPolicy(stale_after=1.0, poll=0.02)
    path = fetch(checkpoint, settings, policy=policy)
    before = path.stat()
    assert path.read_bytes() == content
    owner.send_signal(signal.SIGCONT)
    assert Path(owner.communicate()[0].strip()) == path
    assert owner.returncode == 0
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert path.read_bytes() == content
    assert list((tmp_path / "partial").iterdir()) == []


def race(worker: int, barrier, home: str, urls: list[tuple[str, str]], results) -> None:
    import fcntl

    fcntl.flock = lambda *_: None  # a lock that lies, as on some network file systems
    settings = Settings(home=Path(home), connections=4)
    for url, sha256 in urls:
        barrier.wait()
        checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
        path = fetch(checkpoint, settings, policy=TransferPolicy(poll=0.01))
        with path.open("rb") as file:
            right = (
                hashlib.file_digest(file, "sha256").hexdigest() == sha256
                if hasattr(hashlib, "file_digest")
                else hashlib.sha256(file.read()).hexdigest() == sha256
            )
        results.put((worker, url, path.stat().st_ino, right))


@pytest.mark.slow
def test_eight_processes_twenty_rounds_publish_each_file_once(server, tmp_path):
    contents = [random.Random(10 + n).randbytes(700_000) for n in range(20)]
    urls = [
        (server.put(f"/{n}.ckpt", content), hashlib.sha256(content).hexdigest())
        for n, content in enumerate(contents)
    ]
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(8), context.Queue()
    workers = [
        context.Process(target=race, args=(n, barrier, str(tmp_path), urls, results))
        for n in range(8)
    ]
    for worker in workers:
        worker.start()
    seen = [results.get(timeout=120) for _ in range(8 * 20)]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert all(right for *_, right in seen)
    assert len({(url, inode) for _, url, inode, _ in seen}) == 20  # one publication each
    assert server.sent == sum(map(len, contents))  # and one transfer
    assert list((tmp_path / "partial").iterdir()) == []


@needs_proc
def test_a_killed_owners_file_is_taken_over_at_once(server, tmp_path):
    content = random.Random(4).randbytes(4 << 20)
    sha256 = hashlib.sha256(content).hexdigest()
    url = server.put("/a.ckpt", content)
    pace(server, 4e6)
    owner = start(tmp_path, url, sha256, connections=1)
    wait_for(lambda: server.sent > 2 << 20)
    owner.kill()  # and not waited for: a zombie is dead too
    server.before_part = lambda handler: None
    checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
    began = time.monotonic()
    assert fetch(checkpoint, Settings(home=tmp_path)).read_bytes() == content
    assert time.monotonic() - began < 5  # not a minute
    owner.wait()
    owner.stdout.close()


def test_whoever_waits_says_so_and_transfers_nothing(server, settings, policy, listener):
    content = random.Random(5).randbytes(2 << 20)
    sha256 = hashlib.sha256(content).hexdigest()
    url = server.put("/a.ckpt", content)
    pace(server, 2e6)
    checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
    first = threading.Thread(target=fetch, args=(checkpoint, settings), kwargs={"policy": policy})
    first.start()
    wait_for(lambda: server.sent > 0)
    fetch(checkpoint, settings, policy=policy, progress=listener)
    first.join()
    assert any("waiting for another process" in text for text in listener.messages)
    assert server.sent == len(content)


def endless_prune(home: str, until) -> None:
    store = Store(Path(home))
    while not until.is_set():
        now = time.time()
        remains = list_remains(store, now=now, older_than=3600)
        prune(store, plan_prune(list_items(store), now=now, max_size=1 << 20, remains=remains))


def test_two_processes_prune_while_a_third_downloads(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    until = context.Event()
    pruners = [context.Process(target=endless_prune, args=(str(tmp_path), until)) for _ in range(2)]
    for pruner in pruners:
        pruner.start()
    settings = Settings(home=tmp_path)
    try:
        for number in range(20):
            content = random.Random(number).randbytes(600_000)
            url = server.put(f"/{number}.ckpt", content)
            sha256 = hashlib.sha256(content).hexdigest()
            path = fetch(Checkpoint("m", "x", "ckpt", (url,), "sha256", sha256), settings)
            assert path.read_bytes() == content  # the latest is never the first to go
    finally:
        until.set()
        for pruner in pruners:
            pruner.join()
    assert [pruner.exitcode for pruner in pruners] == [0, 0]


class NoImports:
    """Finds late imports: where nobody may not read the interpreter's folder, they would fail."""

    def find_spec(self, name, *_):
        raise ImportError(f"{name} is imported by a process without privileges")


def as_nobody(action) -> int:
    """Run `action` in a forked process without root's privileges; its exit status."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            sys.meta_path.insert(0, NoImports())
            status = action()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_read_only_store_serves_reads_and_refuses_writes(server, nobodys, policy):
    from zoohub.errors import StoreError

    content, other = random.Random(6).randbytes(100_000), random.Random(7).randbytes(100_000)
    settings = Settings(home=nobodys)
    here = Checkpoint(
        "m",
        "x",
        "ckpt",
        (server.put("/a", content),),
        "sha256",
        hashlib.sha256(content).hexdigest(),
    )
    missing = Checkpoint(
        "m", "y", "ckpt", (server.put("/b", other),), "sha256", hashlib.sha256(other).hexdigest()
    )
    fetch(here, settings, policy=policy)
    for folder, _, _ in os.walk(nobodys):
        Path(folder).chmod(0o555)

    def action() -> int:
        if fetch(here, settings, policy=policy).read_bytes() != content:
            return 1
        try:
            fetch(missing, settings, policy=policy)
        except StoreError as error:
            return 0 if "ZOOHUB_HOME" in str(error) else 2
        return 3

    status = as_nobody(action)
    for folder, _, _ in os.walk(nobodys):
        Path(folder).chmod(0o755)
    assert status == 0


def test_permission_lost_in_mid_download_is_told_and_recovered_from(
    server, nobodys, policy, settings
):
    from zoohub.errors import StoreError

    # What a fetch imports is imported here, see NoImports.
    small = random.Random(88).randbytes(1000)
    url = server.put("/small", small)
    fetch(
        Checkpoint("m", "y", "ckpt", (url,), "sha256", hashlib.sha256(small).hexdigest()), settings
    )

    content = random.Random(8).randbytes(2 << 20)
    url = server.put("/a", content)
    wanted = Checkpoint("m", "x", "ckpt", (url,), "sha256", hashlib.sha256(content).hexdigest())
    settings = Settings(home=nobodys, connections=1)
    Store(nobodys).prepare()
    before = server.sent

    def lose(handler) -> None:
        if server.sent >= before + (1 << 20):
            (nobodys / "blobs/sha256").chmod(0o555)

    if os.getuid() == 0:
        for folder, _, _ in os.walk(nobodys):
            os.chown(folder, 65534, 65534)
    server.before_part = lose

    def refused() -> int:
        try:
            fetch(wanted, settings, policy=policy)
        except StoreError as error:
            return 0 if "publish" in str(error) else 2
        return 1

    assert as_nobody(refused) == 0
    server.before_part = lambda handler: None
    (nobodys / "blobs/sha256").chmod(0o755)
    sent = server.sent
    assert (
        as_nobody(lambda: int(fetch(wanted, settings, policy=policy).read_bytes() != content)) == 0
    )
    assert server.sent == sent  # all that had come was kept


def test_a_disk_that_fills_up_keeps_what_came_and_says_so(server, tmp_path, policy):
    """RLIMIT_FSIZE stands for the full disk; the test with a real one is marked slow."""
    import resource

    from zoohub.errors import NoSpaceError

    content = random.Random(9).randbytes(3 << 20)
    url = server.put("/a", content)
    wanted = Checkpoint("m", "x", "ckpt", (url,), "sha256", hashlib.sha256(content).hexdigest())
    settings = Settings(home=tmp_path)

    def action() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            fetch(wanted, settings, policy=policy)
        except NoSpaceError as error:
            return 0 if "prune" in str(error) else 1
        return 2

    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = action()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert Store(tmp_path).find(wanted) is None
    assert fetch(wanted, settings, policy=policy).read_bytes() == content


@pytest.mark.slow
def test_a_real_small_disk_fills_up_and_is_recovered_from(server, tmp_path, policy):
    from zoohub.errors import NoSpaceError

    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.fail("mounting a tmpfs needs root") if os.environ.get("CI") else pytest.skip(
            "no root"
        )
    try:
        content = random.Random(9).randbytes(6 << 20)
        # Chunked: the size is not known before, so the disk fills up in mid-write.
        from faulty_server import chunked

        url = server.put("/a", content, always=chunked)
        wanted = Checkpoint("m", "x", "ckpt", (url,), "sha256", hashlib.sha256(content).hexdigest())
        settings = Settings(home=disk)
        (disk / "ballast").write_bytes(bytes(5 << 20))
        with pytest.raises(NoSpaceError):
            fetch(wanted, settings, policy=policy)
        assert Store(disk).find(wanted) is None
        (disk / "ballast").unlink()
        assert fetch(wanted, settings, policy=policy).read_bytes() == content
    finally:
        subprocess.run(["umount", disk], check=True)
