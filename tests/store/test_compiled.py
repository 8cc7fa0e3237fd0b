"""Compiled forms: made once by whoever comes first, published whole, listed and removed."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from zoohub.errors import NoSpaceError, StoreError
from zoohub.store import Store
from zoohub.store.compiled import (
    CompiledRecord,
    compiled_key,
    form_path,
    forms_of,
    hash_once,
    publish_compiled,
    read_compiled,
    refuse_compiled,
    sweep_compiled,
)
from zoohub.store.maintenance import is_form, list_items, list_remains, plan_prune, prune

KEY = compiled_key({"weights": "a" * 64, "size": (224, 224)})
RECORD = CompiledRecord("net@one", "a" * 64)
BYTES = bytes(range(256)) * 4000


def make() -> tuple[bytes, Mapping[str, str]]:
    return BYTES, {"zoohub.outputs": '["logits"]'}


def publish(store: Store, made: object = make) -> CompiledRecord:
    return publish_compiled(store, KEY, RECORD, made, lambda text: None)  # type: ignore[arg-type]


def never() -> tuple[bytes, Mapping[str, str]]:
    raise AssertionError("it is there already")


def test_a_form_is_found_by_its_key_until_it_is_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert read_compiled(store, KEY) is None
    record = publish(store)
    assert read_compiled(store, KEY) == record
    path = form_path(store, record)
    assert path is not None
    assert path.read_bytes() == BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert record.said == {"zoohub.outputs": '["logits"]'}
    assert publish(store, never) == record
    (item,) = list_items(store)
    assert is_form(item)
    assert item.names == ("net@one (compiled)",)
    assert forms_of(store, {"a" * 64}) == {record.sha256}
    assert forms_of(store, {"b" * 64}) == set()
    plan = plan_prune([item], now=time.time(), max_size=0)
    assert prune(store, plan) == len(BYTES)
    assert read_compiled(store, KEY) is None
    assert list_items(store) == []


@pytest.mark.parametrize("change", ["size", "weights", "writer"])
def test_whatever_decides_what_is_computed_decides_the_key(change: str) -> None:
    facts: dict[str, object] = {"weights": "a" * 64, "size": (224, 224), "writer": "1"}
    assert compiled_key(facts) == compiled_key(dict(reversed(facts.items())))
    assert compiled_key({**facts, change: [224, 225]}) != compiled_key(facts)


@pytest.mark.parametrize("damage", [b"", BYTES[:-1], b"\x01" + BYTES[1:]])
def test_a_damaged_form_is_noticed_and_made_again(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    record = publish(store)
    path = form_path(store, record)
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(damage)
    os.utime(path, (1, 1))
    assert form_path(store, record) is None
    again = publish(store)
    assert form_path(store, again) == path
    assert path.read_bytes() == BYTES


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 1}', '{"name": "a", "weights": "b"}'])
def test_a_record_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    publish(store)
    (store.layout.compiled / f"{KEY}.json").write_text(text)
    assert read_compiled(store, KEY) is None
    assert form_path(store, publish(store)) is not None


def test_a_record_is_believed_as_it_was_written_and_under_its_own_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record = publish(store)
    path = store.layout.compiled / f"{KEY}.json"
    other = compiled_key({"of": "another network"})
    path.with_stem(other).write_bytes(path.read_bytes())
    assert read_compiled(store, other) is None
    path.write_text(path.read_text().replace("logits", "scores"))  # as good JSON as before
    assert read_compiled(store, KEY) is None
    sweep_compiled(store)
    assert list(path.parent.iterdir()) == []
    assert publish(store) == record


def test_a_record_never_names_a_file_outside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert form_path(store, CompiledRecord("x", "y", "../../etc/passwd")) is None


def test_what_cannot_be_made_is_remembered_with_its_reason(tmp_path: Path) -> None:
    store = Store(tmp_path)
    refuse_compiled(store, KEY, CompiledRecord("net@one", "a" * 64, refused="no such operator"))
    assert publish(store, never).refused == "no such operator"
    sweep_compiled(store)
    assert read_compiled(store, KEY) is not None


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fails() -> tuple[bytes, Mapping[str, str]]:
        raise ValueError("the compiler met something")

    with pytest.raises(ValueError, match="met something"):
        publish(store, fails)
    assert list(store.layout.partial.iterdir()) == []
    assert read_compiled(store, KEY) is None
    assert form_path(store, publish(store)) is not None


def test_a_read_only_store_serves_what_it_has(nobodys: Path) -> None:
    store = Store(nobodys / "home")
    record = publish(store)
    other = compiled_key({"another": 1})
    code = (
        "import os, sys; from pathlib import Path; import zoohub.store.claims; "
        "from zoohub.store import Store; from zoohub.store.compiled import *; "
        "os.getuid() == 0 and os.setuid(65534); s = Store(Path(sys.argv[1])); "
        "r = read_compiled(s, sys.argv[2]); print(form_path(s, r)); "
        "publish_compiled(s, sys.argv[3], CompiledRecord('n', 'w'), lambda: (b'', {}), print)"
    )
    for folder in (nobodys / "home").rglob("*"):
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    (nobodys / "home").chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", code, str(nobodys / "home"), KEY, other],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for folder in (nobodys / "home", *(nobodys / "home").rglob("*")):
        folder.chmod(0o755)
    assert done.stdout.strip() == str(form_path(store, record)), done.stderr
    assert "StoreError" in done.stderr


def test_an_untouched_file_is_hashed_once_and_a_changed_one_again(tmp_path: Path) -> None:
    store, path = Store(tmp_path / "home"), tmp_path / "weights.ckpt"

    def digest(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    path.write_bytes(b"first")
    assert hash_once(store, path) == digest(b"first")
    path.write_bytes(b"other")  # at once, of the same size
    assert hash_once(store, path) == digest(b"other")
    assert not list(store.layout.compiled.glob("*.seen"))  # too fresh to be trusted
    assert hash_once(store, path, settled=-1) == digest(b"other")
    (seen,) = store.layout.compiled.glob("*.seen")
    assert hash_once(store, path) == digest(b"other")
    path.write_bytes(b"third")
    os.utime(path, (1, 1))  # what pretends to be old has changed all the same
    assert hash_once(store, path) == digest(b"third")
    seen.write_text("{}")
    assert hash_once(store, path) == digest(b"third")


def _publish_slowly(home: str, made: str) -> None:
    def slowly() -> tuple[bytes, Mapping[str, str]]:
        with Path(made).open("a") as file:
            file.write("made\n")
        time.sleep(0.5)
        return make()

    publish(Store(Path(home)), slowly)


def test_of_many_processes_one_makes_it(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=_publish_slowly, args=(str(tmp_path / "home"), str(tmp_path / "log")))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "log").read_text() == "made\n"


def test_after_a_kill_while_it_was_made_the_next_makes_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    spawn = multiprocessing.get_context("spawn")
    worker = spawn.Process(target=_publish_slowly, args=(str(store.root), str(tmp_path / "log")))
    worker.start()
    while not (tmp_path / "log").exists():
        time.sleep(0.01)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert read_compiled(store, KEY) is None
    record = publish(store)
    path = form_path(store, record)
    assert path is not None
    assert path.read_bytes() == BYTES
    assert list_remains(store, now=time.time() + 4000) == []


def test_a_full_disk_is_no_space_and_leaves_no_half_form(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    store = Store(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BYTES) // 2, before[1]))
    try:
        with pytest.raises((NoSpaceError, StoreError), match="No space left"):
            publish(store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert read_compiled(store, KEY) is None
    assert list_items(store) == []
    assert list(store.layout.partial.iterdir()) == []
    assert form_path(store, publish(store)) is not None
