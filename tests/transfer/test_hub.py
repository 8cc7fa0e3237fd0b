"""`hf://` sources, from huggingface_hub's own cache: the tests have no network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

CONTENT = b"\n\x10" + b"weights" * 1000
CLIENT = """
import sys
from pathlib import Path
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.transfer import fetch
home, url, sha256 = sys.argv[1:]
checkpoint = Checkpoint("m", "x", "ckpt", (url,), "sha256", sha256)
print(fetch(checkpoint, Settings(home=Path(home), offline=True)))
"""


def run(tmp_path, url: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the library reads its settings when it is imported."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    folder = tmp_path / "hub" / "models--owner--repo"
    (folder / "snapshots" / commit / "sub").mkdir(parents=True)
    (folder / "snapshots" / commit / "sub" / "x.ckpt").write_bytes(CONTENT)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(commit)
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "home"), url]
    command.append(hashlib.sha256(CONTENT).hexdigest())
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_hubs_own_cache_is_used_and_its_bytes_verified(tmp_path):
    done = run(tmp_path, "hf://owner/repo/sub/x.ckpt")
    assert done.returncode == 0, done.stderr
    with open(done.stdout.strip(), "rb") as file:  # noqa: PTH123
        assert file.read() == CONTENT


def test_what_its_cache_does_not_have_is_an_offline_error(tmp_path):
    done = run(tmp_path, "hf://owner/repo/sub/y.ckpt@main")
    assert "OfflineError" in done.stderr
    assert "huggingface_hub's cache" in done.stderr


WATCH = """
import socket, sys
def told(self, address, *_):
    print("CONNECTS", address, file=sys.stderr)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = told
socket.getaddrinfo = lambda *a, **_: told(None, a)
"""


def test_offline_nothing_is_asked_whatever_the_library_does(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CLIENT", WATCH + CLIENT)
    for number, name in enumerate(("x.ckpt", "y.ckpt", "y.ckpt@v1", "y.ckpt@" + "0" * 40)):
        done = run(tmp_path / str(number), f"hf://owner/repo/sub/{name}")
        assert "CONNECTS" not in done.stderr
        assert (done.returncode == 0) is (name == "x.ckpt")
