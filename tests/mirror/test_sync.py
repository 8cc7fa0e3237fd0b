"""A mirror is filled, kept up to date, and never holds a wrong byte."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import IntegrityError, MirrorError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.hashes import FileRecord, parse_hashes
from zoohub.mirror.selection import Wanted, select
from zoohub.mirror.state import JOURNAL
from zoohub.mirror.sync import plan_sync
from zoohub.settings import Settings
from zoohub.store import Store
from zoohub.transfer import fetch

SHA = "a" * 64
SERVERS = Callable[..., tuple[Any, list[str]]]


def wanted(**fields: Any) -> Wanted:
    known: dict[str, Any] = {"sources": ("https://h/a.ckpt",), "declared": "sha256", "sha256": SHA}
    return Wanted("h/a.ckpt", Checkpoint("m", "c", "ckpt", **{**known, **fields}))


@pytest.mark.parametrize(
    ("item", "record", "there", "what"),
    [
        (wanted(), FileRecord(SHA, 5), 5, "current"),
        (wanted(), FileRecord(SHA, 5), None, "fetch"),
        (wanted(), FileRecord(SHA, 5), 4, "fetch"),
        (wanted(), FileRecord("b" * 64, 5), 5, "fetch"),
        (wanted(), None, 5, "check"),
        (wanted(), None, None, "fetch"),
        (wanted(declared="none", sha256=None), FileRecord(SHA, 5), 5, "current"),
        (wanted(declared="none", sha256=None), None, 5, "fetch"),
        (
            wanted(declared="prefix", sha256=None, sha256_prefix="bb"),
            FileRecord(SHA, 5),
            5,
            "fetch",
        ),
        (wanted(size=6), FileRecord(SHA, 5), 5, "fetch"),
    ],
)
def test_a_file_is_fetched_only_where_record_size_or_hash_disagree(
    item: Wanted, record: FileRecord | None, there: int | None, what: str
) -> None:
    records = {} if record is None else {item.path: record}
    plan = plan_sync((item,), records, {} if there is None else {item.path: there})

    assert getattr(plan, what) == (item,)
    assert len(plan.fetch) + len(plan.check) + len(plan.current) == 1


def test_a_sync_lays_out_files_index_hashes_licences_and_pages(mirror: Any) -> None:
    data = mirror.zoo.add("net_a", licence="Apache-2.0", dataset_terms="research only")
    mirror.zoo.add("net_b", declared="prefix")

    done = mirror.sync()

    assert sorted(done.fetched) == ["net_a@lab", "net_b@lab"]
    assert mirror.file("net_a").read_bytes() == data
    manifest = parse_hashes((mirror.root / "manifest.json").read_bytes(), "it")
    path = "127.0.0.1/net_a/net_a.ckpt"
    assert manifest.files[path] == FileRecord(hashlib.sha256(data).hexdigest(), len(data))
    lines = gzip.decompress((mirror.root / "index.jsonl.gz").read_bytes()).splitlines()
    assert json.loads(lines[0])["serial"] == manifest.serial == done.serial
    assert [json.loads(line)["model"] for line in lines[1:]] == ["net_a", "net_b"]
    licences = (mirror.root / "LICENCES.txt").read_text()
    assert "licence: Apache-2.0" in licences
    assert "dataset terms: research only" in licences
    assert "net_b" in (mirror.root / "index.html").read_text()
    assert not (mirror.root / ".zoohub").exists()


def test_an_up_to_date_mirror_is_left_alone_without_a_request(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    before = {p: p.stat().st_mtime_ns for p in mirror.root.rglob("*") if p.is_file()}
    mirror.zoo.requests.clear()

    done = mirror.sync()

    assert (done.fetched, done.published, len(done.plan.current)) == ((), False, 1)
    assert mirror.zoo.requests == []
    assert {p: p.stat().st_mtime_ns for p in mirror.root.rglob("*") if p.is_file()} == before


def test_later_syncs_add_to_what_is_there(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    first = mirror.sync()
    del mirror.zoo.documents["net_a"]
    mirror.zoo.add("net_b")

    second = mirror.sync()

    assert second.fetched == ("net_b@lab",)
    assert second.serial > first.serial
    lines = gzip.decompress((mirror.root / "index.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["model"] for line in lines[1:]] == ["net_a", "net_b"]
    assert mirror.file("net_a").is_file()


def test_what_the_users_store_has_is_linked_and_not_fetched_again(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    (item,) = mirror.zoo.select().wanted
    stored = fetch(item.checkpoint, mirror.settings)
    mirror.zoo.requests.clear()

    done = mirror.sync()

    assert done.linked == ("net_a@lab",)
    assert mirror.zoo.requests == []
    assert mirror.file("net_a").samefile(stored)


def test_wrong_bytes_are_reported_and_the_others_go_on(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.zoo.add("net_b")
    (mirror.zoo.root / "net_a" / "net_a.ckpt").write_bytes(b"x" * 5000)

    done = mirror.sync()

    ((reference, error),) = done.failures
    assert reference == "net_a@lab"
    assert isinstance(error, IntegrityError)
    assert done.fetched == ("net_b@lab",)
    assert not mirror.file("net_a").exists()
    assert "127.0.0.1/net_a/net_a.ckpt" not in (mirror.root / "manifest.json").read_text()


def test_a_file_whose_publisher_replaced_it_unannounced_is_not_taken(mirror: Any) -> None:
    data = mirror.zoo.add("net_a", declared="none")
    mirror.sync()
    (mirror.zoo.root / "net_a" / "net_a.ckpt").write_bytes(data[::-1])
    mirror.file("net_a").unlink()

    done = mirror.sync()

    assert isinstance(done.failures[0][1], IntegrityError)
    assert not mirror.file("net_a").exists()


def test_a_dry_run_says_what_it_would_fetch_and_touches_nothing(mirror: Any) -> None:
    mirror.zoo.add("net_a")

    done = mirror.sync(dry_run=True)

    assert [item.path for item in done.plan.fetch] == ["127.0.0.1/net_a/net_a.ckpt"]
    assert not mirror.root.exists()
    assert mirror.zoo.requests == []


@pytest.mark.parametrize("declared", ["sha256", "none"])
def test_max_size_leaves_out_larger_files_even_of_unknown_size(mirror: Any, declared: str) -> None:
    mirror.zoo.add("net_a", declared=declared)

    done = mirror.sync(max_size=4999)

    assert [skipped.reference for skipped in done.skipped] == ["net_a@lab"]
    assert not mirror.file("net_a").exists()
    assert mirror.sync(max_size=5000).fetched == ("net_a@lab",)


def test_files_that_lie_there_unrecorded_are_hashed_and_kept_or_replaced(mirror: Any) -> None:
    data = {name: mirror.zoo.add(name) for name in ("net_a", "net_b")}
    for name in data:
        mirror.file(name).parent.mkdir(parents=True)
    mirror.file("net_a").write_bytes(data["net_a"])
    mirror.file("net_b").write_bytes(b"y" * 5000)

    done = mirror.sync()

    assert done.fetched == ("net_b@lab",)
    assert mirror.file("net_b").read_bytes() == data["net_b"]
    assert len(parse_hashes((mirror.root / "manifest.json").read_bytes(), "it").files) == 7


def test_a_mirror_is_made_from_another_mirror_across_an_air_gap(
    mirror: Any, tmp_path: Path, another_home: Settings
) -> None:
    for number, declared in enumerate(("sha256", "prefix", "none")):
        mirror.zoo.add(f"net_{number}", declared=declared)
    mirror.sync()
    mirror.zoo.server.shutdown()
    carried = tmp_path / "disk"
    mirror.root.rename(carried)
    offline = replace(another_home, mirrors=(carried.as_uri(),), offline=True)
    mirror.zoo.requests.clear()

    done = mirror.sync(settings=offline)

    assert len(done.fetched) == 3
    assert mirror.zoo.requests == []
    for number in range(3):
        copy = carried / mirror.file(f"net_{number}").relative_to(mirror.root)
        assert mirror.file(f"net_{number}").read_bytes() == copy.read_bytes()


def test_a_client_cut_off_from_the_origin_downloads_from_a_served_mirror(
    mirror: Any, serve: SERVERS, another_home: Settings
) -> None:
    data = mirror.zoo.add("net_a")
    mirror.sync()
    (item,) = mirror.zoo.select().wanted
    (mirror.zoo.root / "net_a" / "net_a.ckpt").unlink()
    server, requests = serve(mirror.root)

    path = fetch(item.checkpoint, replace(another_home, mirrors=(server.url,)))

    assert path.read_bytes() == data
    assert any("/127.0.0.1/net_a/net_a.ckpt" in request for request in requests)


@pytest.mark.parametrize(
    "url",
    [
        "https://h/../../etc/x.ckpt",
        "https://h/%2e%2e/%2e%2e/x.ckpt",
        "https://h/a/%2e%2e%2fx.ckpt",
        "https://h/a/..%5Cx.ckpt",
        "https://h/a%00.ckpt",
        "https://h/CON.ckpt",
        "https://h/" + "n" * 300 + ".ckpt",
        "https://h/a.ckpt?token=1",
        "https://manifest.json/a.ckpt",
        "https://.zoohub/a.ckpt",
        "file:///etc/passwd",
        "embedded:lenet5",
    ],
)
def test_hostile_and_impossible_paths_are_left_out_with_a_reason(url: str) -> None:
    entry = _entry([url])

    selection = select([entry])

    assert selection.wanted == ()
    assert selection.skipped[0].reason


def test_paths_that_collide_on_some_file_system_are_left_out() -> None:
    urls = ["https://h/a/x.ckpt", "https://h/A/x.ckpt", "https://h/a/X.ckpt", "https://h/a"]
    urls += ["https://h/a/x.ckpt/y.ckpt"]

    selection = select([_entry(urls)])

    assert [item.path for item in selection.wanted] == ["h/a/x.ckpt"]
    assert len(selection.skipped) == 4


def _entry(urls: list[str]) -> Any:
    from zoohub.manifest.entry import Entry

    checkpoints = tuple(
        Checkpoint("m", f"c{n}", "ckpt", (url,), "sha256", sha256=f"{n:064x}")
        for n, url in enumerate(urls)
    )
    return Entry("m", "m", "t", None, checkpoints=checkpoints)


def test_a_link_out_of_the_mirror_is_not_written_through(mirror: Any, tmp_path: Path) -> None:
    mirror.zoo.add("net_a")
    outside = tmp_path / "outside"
    outside.mkdir()
    mirror.root.mkdir()
    (mirror.root / "127.0.0.1").symlink_to(outside)

    done = mirror.sync()

    assert isinstance(done.failures[0][1], MirrorError)
    assert list(outside.iterdir()) == []


def test_a_mirror_is_not_made_among_other_files(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.root.mkdir()
    (mirror.root / "thesis.tex").write_text("years of work")

    with pytest.raises(MirrorError, match=r"not empty \(it has thesis.tex\)"):
        mirror.sync()
    assert sorted(path.name for path in mirror.root.iterdir()) == ["thesis.tex"]


def test_a_fresh_disks_own_folders_are_passed_over(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    (mirror.root / "lost+found").mkdir(parents=True)
    (mirror.root / "lost+found" / "#123").write_bytes(b"x")

    assert mirror.sync().fetched == ("net_a@lab",)


def test_only_one_process_works_on_a_mirror(mirror: Any) -> None:
    from filelock import FileLock

    mirror.zoo.add("net_a")
    (mirror.root / ".zoohub").mkdir(parents=True)
    with FileLock(mirror.root / ".zoohub" / "lock"), pytest.raises(MirrorError, match="another"):
        mirror.sync()


def test_a_killed_sync_goes_on_where_it_was(mirror: Any, tmp_path: Path) -> None:
    names = [f"net_{n}" for n in range(30)]
    data = {name: mirror.zoo.add(name, declared="none") for name in names}
    documents = tmp_path / "documents.json"
    documents.write_text(json.dumps(mirror.zoo.documents))
    script = (
        "import json, sys\nfrom pathlib import Path\n"
        "from zoohub.manifest.codec import decode_entry\n"
        "from zoohub.mirror import SyncOptions, open_target, select, sync\n"
        "from zoohub.mirror.publish import Publisher\nfrom zoohub.settings import Settings\n"
        "docs = json.loads(Path(sys.argv[1]).read_text())\n"
        "chosen = select(decode_entry(docs[m], 't') for m in sorted(docs))\n"
        "sync(open_target(sys.argv[2]), chosen, docs, Settings(home=Path(sys.argv[3])),"
        " Publisher(), SyncOptions(jobs=1))\n"
    )
    journal = mirror.root / ".zoohub" / JOURNAL
    run = subprocess.Popen(
        [sys.executable, "-c", script, documents, mirror.root, mirror.settings.home]
    )
    deadline = time.monotonic() + 30
    while not (journal.is_file() and journal.read_text().count("\n") >= 5):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    noted = journal.read_text().count("\n")
    assert not (mirror.root / "manifest.json").exists()

    done = mirror.sync()

    assert len(done.plan.current) >= noted - 1
    assert len(done.fetched) == 30 - len(done.plan.current)
    assert {name: mirror.file(name).read_bytes() for name in names} == data
    assert not (mirror.root / ".zoohub").exists()


def test_the_users_own_store_stays_as_it_was(mirror: Any) -> None:
    mirror.zoo.add("net_a")

    mirror.sync()

    assert Store(mirror.settings.home).find(mirror.zoo.select().wanted[0].checkpoint) is None


LYING = """
import sys, zoohub.core.locks as locks
class Lie:
    def __init__(self, file, **_): self.lock_file = file
    def acquire(self, *_, **__): return self
    def release(self, *_, **__): return None
locks.FileLock = Lie
from zoohub.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_syncs_whose_locks_lie_lose_none_of_each_others_models(tmp_path: Path) -> None:
    """On some shared folders every process is told that it holds the lock."""
    index = tmp_path / "i" / "image-classification" / "adv.yaml"
    index.parent.mkdir(parents=True)
    lines = ["family: adv", "task: image-classification", "models:"]
    for number in range(6):
        file = tmp_path / f"n{number}.ckpt"
        file.write_bytes(bytes([number]) * 1000)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        lines += [f"  n{number}:", "    default: c", "    checkpoints:"]
        lines += [
            f"      c: {{format: ckpt, sha256: '{sha256}', size: 1000, "
            f"sources: ['https://a.example/n{number}.ckpt', '{file.as_uri()}']}}"
        ]
    index.write_text("\n".join(lines))
    environ = {**os.environ, "ZOOHUB_INDEX": str(tmp_path / "i")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LYING, "mirror", "sync", str(tmp_path / "m"), f"n{number}"],
            env={**environ, "ZOOHUB_HOME": str(tmp_path / f"h{number}")},
            stderr=subprocess.PIPE,
        )
        for number in range(6)
    ]
    said = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, said
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_bytes())
    held = {path for path in manifest["files"] if path.endswith(".ckpt")}
    assert held == {f"a.example/n{number}.ckpt" for number in range(6)}
    assert {path for path in manifest["files"] if path.startswith("m/")} == {
        f"m/n{number}.html" for number in range(6)
    }
