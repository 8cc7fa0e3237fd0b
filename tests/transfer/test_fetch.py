"""`fetch`: from the store, else from the first source that has the right bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faulty_server import cut_after, status

from zoohub.errors import AccessDenied, DownloadError, IntegrityError, OfflineError
from zoohub.store import Store
from zoohub.transfer import fetch

CONTENT = random.Random(1).randbytes(3_000_000)
HTML = b"<!DOCTYPE html><html><title>Sign in</title></html>"


def test_a_file_is_published_under_its_hash_read_only(server, settings, policy, make_checkpoint):
    wanted = make_checkpoint(CONTENT, server.put("/a/lenet.ckpt", CONTENT))
    path = fetch(wanted, settings, policy=policy)
    assert path.read_bytes() == CONTENT
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert path == settings.home / f"blobs/sha256/{sha256[:2]}/{sha256}.ckpt"
    assert path.stat().st_mode & 0o777 == 0o444
    assert list((settings.home / "partial").iterdir()) == []


def test_a_second_fetch_asks_nobody(server, settings, policy, make_checkpoint):
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT))
    fetch(wanted, settings, policy=policy)
    requests = len(server.seen)
    assert fetch(wanted, dataclasses.replace(settings, offline=True)).read_bytes() == CONTENT
    assert len(server.seen) == requests


def test_a_file_url_and_a_folder_mirror_serve_without_a_network(
    tmp_path, settings, policy, make_checkpoint
):
    source = tmp_path / "mirror" / "download.example.org" / "a b" / "x=1.ckpt"
    source.parent.mkdir(parents=True)
    source.write_bytes(CONTENT)
    offline = dataclasses.replace(settings, offline=True, mirrors=(str(tmp_path / "mirror"),))
    mirrored = make_checkpoint(CONTENT, "https://download.example.org/a%20b/x%3D1.ckpt")
    assert fetch(mirrored, offline, policy=policy).read_bytes() == CONTENT
    other = dataclasses.replace(offline, home=tmp_path / "other", mirrors=())
    direct = make_checkpoint(CONTENT, source.as_uri())
    assert fetch(direct, other, policy=policy).read_bytes() == CONTENT


def test_an_embedded_file_takes_the_same_road(
    settings, policy, make_checkpoint, tmp_path, monkeypatch
):
    embedded = tmp_path / "_data" / "embedded"
    embedded.mkdir(parents=True)
    (embedded / "digits.ckpt").write_bytes(CONTENT)
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    offline = dataclasses.replace(settings, offline=True)
    wanted = make_checkpoint(CONTENT, "embedded:digits.ckpt")
    assert fetch(wanted, offline, policy=policy).read_bytes() == CONTENT
    damaged = make_checkpoint(CONTENT, "embedded:digits.ckpt", sha256="0" * 64)
    with pytest.raises(IntegrityError):
        fetch(damaged, offline, policy=policy)


@pytest.mark.parametrize("name", ["../errors.py", "", "..", "a/b", "no-such-file"])
def test_an_embedded_name_cannot_leave_its_folder(settings, policy, make_checkpoint, name):
    with pytest.raises(DownloadError, match="embedded"):
        fetch(make_checkpoint(CONTENT, f"embedded:{name}"), settings, policy=policy)


def test_mirrors_come_before_the_origin_and_in_order(server, settings, policy, make_checkpoint):
    url = server.put("/x/a.ckpt", CONTENT)
    server.put("/second/127.0.0.1/x/a.ckpt", CONTENT)
    mirrors = (server.url + "/first", server.url + "/second/")
    fetch(
        make_checkpoint(CONTENT, url), dataclasses.replace(settings, mirrors=mirrors), policy=policy
    )
    assert [seen.path for seen in server.seen] == [
        "/first/127.0.0.1/x/a.ckpt",
        "/second/127.0.0.1/x/a.ckpt",
    ]


def test_wrong_bytes_are_quarantined_and_the_next_source_is_tried(
    server, settings, policy, make_checkpoint, listener
):
    bad = server.put("/bad.ckpt", HTML)
    good = server.put("/good.ckpt", CONTENT)
    path = fetch(make_checkpoint(CONTENT, bad, good), settings, policy=policy, progress=listener)
    assert path.read_bytes() == CONTENT
    [record] = [json.loads(p.read_text()) for p in (settings.home / "quarantine").glob("*.json")]
    assert record["source"] == bad
    assert record["got"] == hashlib.sha256(HTML).hexdigest()
    assert record["expected"] == hashlib.sha256(CONTENT).hexdigest()
    assert "HTML" in record["looks"]
    [kept] = (settings.home / "quarantine").glob("*.bad")
    assert kept.read_bytes() == HTML
    assert any("HTML" in message for message in listener.messages)
    assert listener.finished


def test_only_wrong_bytes_raise_an_error_with_both_hashes(
    server, settings, policy, make_checkpoint
):
    one, two = server.put("/1.ckpt", HTML), server.put("/2.ckpt", HTML)
    with pytest.raises(IntegrityError) as caught:
        fetch(make_checkpoint(CONTENT, one), settings, policy=policy)
    assert hashlib.sha256(HTML).hexdigest() in str(caught.value)
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert "index looks wrong" not in str(caught.value)
    with pytest.raises(IntegrityError, match="index looks wrong"):
        fetch(make_checkpoint(CONTENT, one, two), settings, policy=policy)
    server.put("/2.ckpt", HTML + b"!")
    with pytest.raises(IntegrityError, match="differ from each other"):
        fetch(make_checkpoint(CONTENT, one, two), settings, policy=policy)
    assert list((settings.home / "blobs").rglob("*.ckpt")) == []


def test_an_empty_file_is_always_an_error(server, settings, policy, make_checkpoint):
    url = server.put("/empty.ckpt", b"")
    with pytest.raises(IntegrityError, match="empty"):
        fetch(make_checkpoint(b"", url), settings, policy=policy)
    unhashed = make_checkpoint(b"", url, declared="none", sha256=None)
    with pytest.raises(IntegrityError, match="empty"):
        fetch(unhashed, settings, policy=policy)


def test_no_network_says_how_to_mirror(settings, policy, make_checkpoint):
    refused = make_checkpoint(CONTENT, "http://127.0.0.1:9/x/a.ckpt")
    with pytest.raises(OfflineError, match="ZOOHUB_MIRROR") as caught:
        fetch(refused, settings, policy=policy, hint="Try `zoohub demo`.")
    assert "127.0.0.1/x/a.ckpt" in str(caught.value)
    assert "Try `zoohub demo`." in str(caught.value)
    unknown = make_checkpoint(CONTENT, "https://no-such-host.invalid/a.ckpt")
    with pytest.raises(OfflineError):
        fetch(unknown, settings, policy=policy)
    with pytest.raises(OfflineError, match="switched off"):
        fetch(unknown, dataclasses.replace(settings, offline=True), policy=policy)


def test_a_source_that_fails_is_told_once(server, settings, policy, make_checkpoint, listener):
    nowhere, gone = "http://127.0.0.1:9/x.ckpt", server.url + "/gone.ckpt"
    with pytest.raises(DownloadError) as caught:
        fetch(make_checkpoint(CONTENT, nowhere, gone), settings, policy=policy, progress=listener)
    assert listener.messages == []  # the error says it
    assert str(caught.value).count(nowhere) == str(caught.value).count(gone) == 1

    good = server.put("/good.ckpt", CONTENT)
    fetch(make_checkpoint(CONTENT, nowhere, good), settings, policy=policy, progress=listener)
    [said] = listener.messages  # no error does
    assert said.startswith(f"{nowhere}: ")


def test_sources_of_one_host_that_fail_alike_share_a_line(settings, policy, make_checkpoint):
    urls = [f"http://127.0.0.1:9/{n}/a.ckpt" for n in range(8)]
    with pytest.raises(OfflineError) as caught:
        fetch(make_checkpoint(CONTENT, *urls), settings, policy=policy)
    _, tried, *_ = str(caught.value).split("\n")
    assert tried.startswith(f"  {urls[0]} and 7 more on 127.0.0.1: ")
    assert "HTTPConnection" not in tried  # why, not urllib3's object
    assert urls[1] not in str(caught.value)


def test_a_missing_file_and_a_forbidden_one_are_told_apart(
    server, settings, policy, make_checkpoint
):
    gone = server.put("/gone.ckpt", CONTENT, always=status(404))
    with pytest.raises(DownloadError, match="HTTP 404"):
        fetch(make_checkpoint(CONTENT, gone), settings, policy=policy)
    assert len(server.seen) == 1  # not worth a second try
    denied = server.put("/denied.ckpt", CONTENT, always=status(403))
    with pytest.raises(AccessDenied, match="ZOOHUB_TOKEN"):
        fetch(make_checkpoint(CONTENT, denied), settings, policy=policy)


def test_a_broken_connection_is_continued_where_it_broke(server, settings, policy, make_checkpoint):
    faults = [cut_after(1_000_000), cut_after(500_000, reset=True)]
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT, *faults))
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT
    assert all("If-Range" in seen.headers for seen in server.seen[1:])
    assert server.sent < len(CONTENT) + 1_000_000


def test_a_file_without_a_hash_is_recorded_and_held_to_it(
    server, settings, policy, make_checkpoint
):
    url = server.put("/a.ckpt", CONTENT)
    wanted = make_checkpoint(CONTENT, url, declared="none", sha256=None)
    path = fetch(wanted, settings, policy=policy)
    assert path.name.startswith(hashlib.sha256(CONTENT).hexdigest())
    assert fetch(wanted, dataclasses.replace(settings, offline=True), policy=policy) == path
    path.unlink()
    server.put("/a.ckpt", CONTENT[::-1])
    with pytest.raises(IntegrityError, match="at the first download it was"):
        fetch(wanted, settings, policy=policy)
    server.put("/a.ckpt", CONTENT)
    assert fetch(wanted, settings, policy=policy) == path


def test_a_declared_fragment_is_verified(server, settings, policy, make_checkpoint):
    url = server.put("/a.ckpt", CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    wrong = make_checkpoint(CONTENT, url, declared="prefix", sha256=None, sha256_prefix="00000000")
    with pytest.raises(IntegrityError, match="00000000"):
        fetch(wrong, settings, policy=policy)
    right = dataclasses.replace(wrong, sha256_prefix=sha256[:8])
    assert fetch(right, settings, policy=policy).read_bytes() == CONTENT
    assert Store(settings.home).find(wrong) is None


def test_a_doubtful_hash_only_warns(server, settings, policy, make_checkpoint, listener):
    wanted = make_checkpoint(
        CONTENT,
        server.put("/a.ckpt", CONTENT),
        declared="doubtful",
        sha256=None,
        doubtful_sha256="ab" * 32,
    )
    path = fetch(wanted, settings, policy=policy, progress=listener)
    assert path.read_bytes() == CONTENT
    [warning] = [text for text in listener.messages if "warning" in text]
    assert "ab" * 32 in warning
    assert hashlib.sha256(CONTENT).hexdigest() in warning


def test_a_killed_client_is_continued_by_the_next(server, settings, policy, make_checkpoint):
    url = server.put("/big.ckpt", CONTENT * 4)
    server.before_part = lambda handler: time.sleep(0.002)
    wanted = make_checkpoint(CONTENT * 4, url)
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(settings.home), url, wanted.sha256]
    )
    while server.sent < 3_000_000:
        time.sleep(0.01)
    client.send_signal(signal.SIGKILL)
    client.wait()
    server.before_part = lambda handler: None
    sent = server.sent
    assert Store(settings.home).find(wanted) is None
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT * 4
    assert server.sent - sent < len(CONTENT) * 4 - 2_000_000
    assert server.seen[-1].headers["Range"].startswith("bytes=")
    assert list((settings.home / "partial").iterdir()) == []


def test_several_processes_transfer_a_file_once(server, settings, policy, make_checkpoint):
    content = CONTENT * 2
    url = server.put("/once.ckpt", content)
    server.before_part = lambda handler: time.sleep(0.001)
    wanted = make_checkpoint(content, url)
    arguments = [sys.executable, "-c", CLIENT, str(settings.home), url, wanted.sha256]
    clients = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    paths = {client.communicate()[0].strip() for client in clients}
    assert [client.returncode for client in clients] == [0] * 4
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == content
    assert server.sent == len(content)


CLIENT = """
import sys
from pathlib import Path
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.transfer import fetch
home, url, sha256 = sys.argv[1:]
checkpoint = Checkpoint("lenet5", "test", "ckpt", (url,), "sha256", sha256)
print(fetch(checkpoint, Settings(home=Path(home))))
"""
