"""Mirrors behind the servers people use: nginx in front of a folder, and an S3 object store."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import DownloadError, MirrorError
from zoohub.mirror.prune import prune
from zoohub.mirror.publish import Publisher
from zoohub.mirror.sync import sync
from zoohub.mirror.target import open_target
from zoohub.mirror.verify import repair, verify
from zoohub.settings import Settings
from zoohub.transfer import TransferPolicy, fetch

pytestmark = pytest.mark.slow
FAST = TransferPolicy(backoff=0.01, backoff_limit=0.02, tries=2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)


@pytest.fixture
def nginx(mirror: Any, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """nginx serving the mirror's folder; its address and its log."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs nginx (apt-get install nginx-light)")
    port, log = free_port(), tmp_path / "access.log"
    mirror.root.mkdir(exist_ok=True)
    # pytest's folders are for their owner only; the workers are to read them.
    user = "user root;" if tmp_path.owner() == "root" else ""
    config = tmp_path / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"{user} daemon off; worker_processes 1; pid {tmp_path}/pid; error_log {tmp_path}/error;\n"
        "events {}\n"
        f"http {{ access_log {log}; {temporary}\n"
        f"  server {{ listen 127.0.0.1:{port}; root {mirror.root}; }} }}\n"
    )
    process = subprocess.Popen([program, "-c", str(config), "-p", str(tmp_path)])
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        process.wait(20)


def test_a_mirror_behind_nginx_serves_clients_cut_off_from_the_origin(
    mirror: Any, nginx: tuple[str, Path], another_home: Settings
) -> None:
    data = {
        name: mirror.zoo.add(name, declared=declared)
        for name, declared in (("net_a", "sha256"), ("net_b", "prefix"), ("net_c", "none"))
    }
    mirror.sync()
    mirror.zoo.server.shutdown()
    client = replace(another_home, mirrors=(nginx[0],))
    mirror.zoo.requests.clear()

    for item in mirror.zoo.select().wanted:
        path = fetch(item.checkpoint, client, policy=FAST)
        assert path.read_bytes() == data[item.checkpoint.model]
    assert mirror.zoo.requests == []


def test_a_file_damaged_behind_nginx_is_refused_and_the_origin_asked(
    mirror: Any, nginx: tuple[str, Path], another_home: Settings
) -> None:
    data = mirror.zoo.add("net_a")
    mirror.sync()
    file = mirror.file("net_a")
    file.chmod(0o644)
    file.write_bytes(data[::-1])
    mirror.zoo.requests.clear()

    path = fetch(
        mirror.zoo.select().wanted[0].checkpoint,
        replace(another_home, mirrors=(nginx[0],)),
        policy=FAST,
    )

    assert path.read_bytes() == data
    assert len(mirror.zoo.requests) == 1
    assert "net_a.ckpt" in nginx[1].read_text()


def test_a_mirror_is_synced_from_one_behind_nginx(
    mirror: Any, nginx: tuple[str, Path], tmp_path: Path, another_home: Settings
) -> None:
    data = mirror.zoo.add("net_a")
    mirror.sync()
    mirror.zoo.server.shutdown()
    mirror.zoo.requests.clear()
    second = open_target(str(tmp_path / "second"))

    done = sync(
        second,
        mirror.zoo.select(),
        mirror.zoo.documents,
        replace(another_home, mirrors=(nginx[0],)),
        Publisher(),
    )

    assert done.fetched == ("net_a@lab",)
    assert mirror.zoo.requests == []
    copy = tmp_path / "second" / mirror.file("net_a").relative_to(mirror.root)
    assert copy.read_bytes() == data
    assert verify(second, another_home).is_sound


def test_the_catalogue_and_the_index_come_from_nginx_as_they_are(
    mirror: Any, nginx: tuple[str, Path]
) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    connection = http.client.HTTPConnection(nginx[0].removeprefix("http://"), timeout=5)
    for target, name in (("/", "index.html"), ("/index.jsonl.gz", "index.jsonl.gz")):
        connection.request("GET", target)
        assert connection.getresponse().read() == (mirror.root / name).read_bytes()
    connection.close()


# ---- an object store ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's S3 server on loopback; its address."""
    pytest.importorskip("moto.server")
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=stream,
            stderr=stream,
        )
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def bucket(store_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty bucket as an fsspec URL."""
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", store_address)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3fs.S3FileSystem.clear_instance_cache()
    name = "zoo-" + str(abs(hash(str(tmp_path))))[:12]
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}/models"


def asked(mirror: Any, bucket: str, **options: Any) -> Any:
    return sync(
        open_target(bucket),
        mirror.zoo.select(),
        mirror.zoo.documents,
        mirror.settings,
        Publisher(),
        policy=FAST,
        **options,
    )


def test_a_mirror_in_an_object_store_is_filled_verified_repaired_and_pruned(
    mirror: Any, bucket: str, another_home: Settings
) -> None:
    data = {name: mirror.zoo.add(name) for name in ("net_a", "net_b")}

    assert sorted(asked(mirror, bucket).fetched) == ["net_a@lab", "net_b@lab"]
    mirror.zoo.requests.clear()
    again = asked(mirror, bucket)
    assert (again.fetched, again.published) == ((), False)
    assert mirror.zoo.requests == []
    assert not any(mirror.settings.home.rglob("*.ckpt"))  # nothing stays behind on this machine

    target = open_target(bucket)
    path = "127.0.0.1/net_a/net_a.ckpt"
    assert target.read(path) == data["net_a"]
    assert verify(target, mirror.settings).is_sound
    target.write(path, data["net_a"][::-1])
    target.write("stranger/x", b"1")
    report = verify(target, mirror.settings)
    assert [damage.path for damage in report.damaged] == [path]
    assert report.extra == ("stranger/x",)
    assert repair(target, mirror.settings, Publisher()).repaired == (path,)
    assert target.read(path) == data["net_a"]
    done = prune(target, mirror.settings, Publisher())
    assert done is not None
    assert done.paths == ("stranger/x",)
    assert target.read("stranger/x") is None


def test_clients_read_a_public_bucket_over_http(
    mirror: Any, bucket: str, store_address: str, another_home: Settings
) -> None:
    import s3fs

    data = mirror.zoo.add("net_a")
    asked(mirror, bucket)
    name = bucket.removeprefix("s3://")
    filesystem = s3fs.S3FileSystem()
    filesystem.chmod(f"{name}/127.0.0.1/net_a/net_a.ckpt", "public-read")
    mirror.zoo.server.shutdown()
    client = replace(another_home, mirrors=(f"{store_address}/{name}",))
    (item,) = mirror.zoo.select().wanted

    assert fetch(item.checkpoint, client, policy=FAST).read_bytes() == data
    with pytest.raises(DownloadError):
        fetch(
            replace(item.checkpoint, sources=("https://127.0.0.1:9/none.ckpt",), sha256="0" * 64),
            replace(client, timeout=1),
            policy=FAST,
        )


def test_a_bucket_that_is_not_there_is_told(mirror: Any, bucket: str) -> None:
    mirror.zoo.add("net_a")
    with pytest.raises(MirrorError, match="s3://no-such-bucket-here"):
        asked(mirror, "s3://no-such-bucket-here/models")
