"""Against a real web server: nginx from Debian's packages, on loopback. In CI it must be there."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from zoohub.manifest.entry import Checkpoint
from zoohub.transfer import fetch, fetch_many

pytestmark = pytest.mark.slow

CONFIG = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log; sendfile on; client_body_temp_path {folder}/tmp;
    proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp;
    scgi_temp_path {folder}/tmp; limit_conn_zone $binary_remote_addr zone=each:1m;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        location /limited/ {{ alias {folder}/www/; limit_rate 4m; }}
        location /single/ {{ alias {folder}/www/; limit_rate 4m; limit_conn each 1; }}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    if shutil.which("nginx") is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is missing: apt-get install nginx")
        pytest.skip("nginx is not installed")
    folder = tmp_path / "nginx"
    for name in ("www", "tmp"):
        (folder / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Its workers would be another user, whom pytest's folders keep out.
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + CONFIG.format(folder=folder, port=port))
    process = subprocess.Popen(
        ["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield folder, f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


def serve(folder: Path, name: str, size: int) -> Checkpoint:
    content = random.Random(name).randbytes(size)
    (folder / "www" / name).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Checkpoint("m", name, "ckpt", (), "sha256", sha256)


def bodies(folder: Path) -> int:
    time.sleep(0.3)  # the log is written after the answer
    lines = (folder / "access.log").read_text().splitlines()
    return sum(int(line.split('"')[2].split()[1]) for line in lines)


def test_a_slow_server_is_asked_over_several_connections_and_nothing_twice(nginx, settings):
    folder, url = nginx
    wanted = dataclasses.replace(serve(folder, "a", 24 << 20), sources=(f"{url}/limited/a",))
    path = fetch(wanted, settings)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    assert bodies(folder) == 24 << 20
    assert (folder / "access.log").read_text().count(" 206 ") > 8


def test_a_fast_server_is_asked_over_one_connection(nginx, settings):
    folder, url = nginx
    wanted = dataclasses.replace(serve(folder, "a", 12 << 20), sources=(f"{url}/a",))
    fetch(wanted, dataclasses.replace(settings, connections=1))
    assert bodies(folder) == 12 << 20


def test_a_server_that_allows_one_connection_is_asked_over_one(nginx, settings, policy):
    folder, url = nginx
    wanted = dataclasses.replace(serve(folder, "a", 16 << 20), sources=(f"{url}/single/a",))
    path = fetch(wanted, settings, policy=policy)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    assert " 503 " in (folder / "access.log").read_text()


def test_many_small_files_come_over_kept_connections(nginx, settings):
    folder, url = nginx
    wanted = [
        dataclasses.replace(serve(folder, str(n), 10_000 + n), sources=(f"{url}/{n}",))
        for n in range(100)
    ]
    results = fetch_many(wanted, settings)
    assert all(result.error is None for result in results)
    assert bodies(folder) == sum(10_000 + n for n in range(100))


def test_a_file_replaced_in_mid_download_is_begun_anew(nginx, settings):
    import threading

    folder, url = nginx
    old, new = serve(folder, "a", 24 << 20), serve(folder, "b", 24 << 20)
    (folder / "www" / "b").rename(folder / "b")
    # nginx's ETag is size and whole seconds: files of one second could not be told apart.
    os.utime(folder / "b", (1_700_000_000, 1_700_000_000))
    wanted = dataclasses.replace(new, declared="none", sha256=None, sources=(f"{url}/limited/a",))
    timer = threading.Timer(0.4, (folder / "b").replace, [folder / "www" / "a"])
    timer.start()
    path = fetch(wanted, settings)
    timer.join()
    # Which of the two, the moment decides; never a mixture.
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (old.sha256, new.sha256)
