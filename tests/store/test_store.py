"""The store: what it finds, what it publishes, what it keeps away."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from zoohub.core.hashing import PIECE, first_damaged, hash_file
from zoohub.errors import StoreError
from zoohub.manifest.entry import Checkpoint
from zoohub.store import Store, TransferPolicy
from zoohub.store.claims import Pulse
from zoohub.store.layout import extension, file_key, record_path
from zoohub.store.records import Ref, read_verification

CONTENT = random.Random(1).randbytes(100_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def checkpoint(**changes: object) -> Checkpoint:
    fields: dict[str, object] = {
        "model": "m",
        "id": "x",
        "format": "ckpt",
        "sources": ("https://a.example/x.ckpt",),
        "declared": "sha256",
        "sha256": SHA256,
    }
    return Checkpoint(**{**fields, **changes})  # type: ignore[arg-type]


def publish(store: Store, content: bytes = CONTENT, format: str = "ckpt") -> Path:
    store.prepare()
    key = hashlib.sha256(content).hexdigest()
    policy = TransferPolicy()
    options = {"policy": policy, "pulse": Pulse(policy), "notice": print}
    with store.claim(key, lambda: False, **options) as partial:
        assert partial is not None
        partial.write(partial.spans[0], content)
        found = hash_file(partial.path)
        return store.publish(
            partial, found, format=format, inode=partial.finish(), name="m@x", source="https://a"
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_importing_the_store_is_cheap_and_brings_no_network():
    code = (
        "import sys, zoohub; before = set(sys.modules); import zoohub.store; "
        "print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"requests", "urllib3", "tqdm", "huggingface_hub", "numpy", "yaml", "mindspore"}
    assert heavy.isdisjoint(loaded)


def test_nothing_is_found_in_an_empty_store_and_nothing_made(store):
    assert store.find(checkpoint()) is None
    assert not store.has(checkpoint())
    assert not store.root.exists()


def test_a_published_file_is_found_and_its_record_kept(store):
    path = publish(store)
    assert store.find(checkpoint()) == path
    assert store.has(checkpoint())
    record = read_verification(path)
    assert record is not None
    assert (record.size, record.names, record.source) == (len(CONTENT), ("m@x",), "https://a")


def test_publishing_twice_keeps_the_first_file(store):
    first = publish(store).stat().st_ino
    assert publish(store).stat().st_ino == first
    assert list(store.layout.partial.iterdir()) == []


def test_a_touched_file_is_hashed_again_and_trusted_again(store):
    path = publish(store)
    os.utime(path, (1, 1))
    assert not read_verification(path).fits(path.stat())
    assert store.find(checkpoint()) == path
    assert read_verification(path).fits(path.stat())


def damage(path: Path, offset: int, keep_times: bool = False) -> None:
    status = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
    path.chmod(0o444)
    if keep_times:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_damaged_file_is_quarantined_and_not_found(store):
    path = publish(store)
    damage(path, 70_000)
    assert store.find(checkpoint()) is None
    assert not path.exists()
    assert store.damaged(SHA256) is not None


def test_damage_that_leaves_no_trace_is_found_by_verifying(store):
    path = publish(store)
    damage(path, 5, keep_times=True)
    assert store.find(checkpoint()) == path  # the record of the last verification is trusted
    assert store.find(checkpoint(), verify=True) is None


def test_another_extension_of_the_same_content_is_linked_or_copied(store, monkeypatch):
    publish(store)
    mindir = store.find(checkpoint(format="mindir"))
    assert mindir is not None
    assert mindir.name == f"{SHA256}.mindir"
    assert mindir.read_bytes() == CONTENT

    def no_link(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_link)
    air = store.find(checkpoint(format="air"))
    assert air.read_bytes() == CONTENT
    assert not air.is_symlink()


def test_a_doubtful_or_partial_hash_is_never_a_hit(store):
    publish(store)
    for declared in ("doubtful", "prefix", "none"):
        other = checkpoint(declared=declared, sha256_prefix=SHA256[:8], doubtful_sha256=SHA256)
        assert store.find(other) is None
        assert file_key(other) != SHA256


def test_a_recorded_hash_speaks_only_for_those_who_name_its_url(store):
    publish(store)
    url = "https://a.example/x.ckpt"
    store.write_ref(Ref(url, SHA256, len(CONTENT), url))
    unhashed = checkpoint(declared="none", sha256=None)
    assert store.find(unhashed) is not None
    other = checkpoint(declared="none", sha256=None, sources=("https://b.example/x.ckpt",))
    assert store.find(other) is None
    prefixed = checkpoint(declared="prefix", sha256=None, sha256_prefix="00000000")
    assert store.find(prefixed) is None


def test_a_record_that_names_another_url_is_not_believed(store):
    publish(store)
    url = "https://a.example/x.ckpt"
    store.write_ref(Ref(url, SHA256, len(CONTENT), url))
    ref = store.layout.ref(url)
    ref.rename(store.layout.ref("https://b.example/x.ckpt"))
    other = checkpoint(declared="none", sha256=None, sources=("https://b.example/x.ckpt",))
    assert store.find(other) is None


HOSTILE = [
    "../../x",
    "/etc/passwd",
    "a\0b",
    "x" * 300,
    "CON",
    "ckpt/../..",
    "..",
    "",
    ".",
    "a b",
    "json",
    "ck%2fpt",
    "C:\\x",
    "ckpt.json",
]


@pytest.mark.parametrize("format", HOSTILE)
def test_a_hostile_format_stays_in_the_store(store, format):
    path = publish(store, format=format)
    assert path.parent == store.layout.blobs / SHA256[:2]
    assert path.read_bytes() == CONTENT
    assert store.find(checkpoint(format=format)) == path


@pytest.mark.parametrize("text", ["", "../" * 21 + "x", "G" * 64, SHA256 + "0", "\0" * 64])
def test_what_is_no_hash_names_no_blob(store, text):
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.layout.blob(text, "ckpt")
    assert store.find(checkpoint(sha256=text)) is None


def test_extensions_that_people_use_are_kept():
    assert [extension(format) for format in ("ckpt", ".MindIR", "tar.gz", "safetensors")] == [
        "ckpt",
        "mindir",
        "tar.gz",
        "safetensors",
    ]


def test_a_store_that_cannot_be_made_is_told_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="ZOOHUB_HOME"):
        Store(tmp_path / "file").prepare()


def test_a_file_replaced_while_it_was_verified_is_not_published(store):
    store.prepare()
    policy = TransferPolicy()
    options = {"policy": policy, "pulse": Pulse(policy), "notice": print}
    with store.claim(SHA256, lambda: False, **options) as partial:
        partial.write(partial.spans[0], CONTENT)
        found = hash_file(partial.path)
        inode = partial.finish()
        partial.path.rename(store.root / "aside")
        partial.path.write_bytes(b"x" * len(CONTENT))
        with pytest.raises(StoreError, match="replaced while"):
            store.publish(partial, found, format="ckpt", inode=inode, name="m@x", source="s")
    assert store.find(checkpoint()) is None


def test_pieces_tell_where_a_file_is_damaged(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(bytes(2 * PIECE + 1000))
    before = hash_file(path)
    assert len(before.marks) == 3
    assert before.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    damage(path, PIECE + 17)
    assert first_damaged(before.marks, hash_file(path).marks) == 1
    assert record_path(path).name == "big.json"
