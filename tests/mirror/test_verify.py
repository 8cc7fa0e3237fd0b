"""Damage in a mirror is found, told and mended; what does not belong is removed on request."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from zoohub.errors import MirrorError, UsageError
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.prune import prune
from zoohub.mirror.publish import Publisher
from zoohub.mirror.verify import compare, repair, verify

A, B = FileRecord("a" * 64, 1), FileRecord("b" * 64, 1)
PATH = "127.0.0.1/net_a/net_a.ckpt"


def test_the_comparison_tells_missing_damaged_and_extra_apart() -> None:
    report = compare({"x": A, "y": A, "z": A}, {"x": A, "y": B, "w": B, "index.html": B})

    assert (report.good, report.missing, report.extra) == (1, ("z",), ("w",))
    assert [(d.path, d.expected, d.got) for d in report.damaged] == [("y", A, B)]
    assert not report.is_sound


def test_a_sound_mirror_verifies(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()

    report = verify(mirror.target, mirror.settings)

    assert report.is_sound
    assert report.good == 5  # the file, the index, the licences, the list and the model's page


@pytest.mark.parametrize("declared", ["sha256", "none"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_each_kind_of_damage_is_found_and_repaired(mirror: Any, declared: str, harm: str) -> None:
    data = mirror.zoo.add("net_a", declared=declared)
    mirror.zoo.add("net_b")
    mirror.sync()
    file = mirror.file("net_a")
    file.chmod(0o644)
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(data[:-1] if harm == "cut" else data[:99] + b"\xff" + data[100:])

    found = verify(mirror.target, mirror.settings)
    mended = repair(mirror.target, mirror.settings, Publisher())

    broken = [*found.missing, *(damage.path for damage in found.damaged)]
    assert broken == [PATH]
    assert mended.repaired == (PATH,)
    assert mended.is_sound
    assert file.read_bytes() == data
    assert verify(mirror.target, mirror.settings).is_sound


def test_a_damaged_page_is_made_anew(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    (mirror.root / "index.html").write_text("defaced")

    mended = repair(mirror.target, mirror.settings, Publisher())

    assert mended.repaired == ("index.html",)
    assert "net_a" in (mirror.root / "index.html").read_text()
    assert verify(mirror.target, mirror.settings).is_sound


def test_what_no_source_has_any_more_stays_reported(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    mirror.file("net_a").unlink()
    (mirror.zoo.root / "net_a" / "net_a.ckpt").unlink()

    mended = repair(mirror.target, mirror.settings, Publisher())

    assert mended.repaired == ()
    assert [reference for reference, _ in mended.failures] == ["net_a@lab"]
    assert not mended.is_sound


def test_a_flipped_bit_costs_one_piece_not_the_whole_file(mirror: Any) -> None:
    import hashlib

    big = os.urandom(20 << 20)
    mirror.zoo.add("net_a")
    (mirror.zoo.root / "net_a" / "net_a.ckpt").write_bytes(big)
    (checkpoint,) = mirror.zoo.documents["net_a"]["checkpoints"]
    checkpoint.update(sha256=hashlib.sha256(big).hexdigest(), size=len(big))
    mirror.sync()
    file = mirror.file("net_a")
    file.chmod(0o644)
    with file.open("r+b") as stream:
        stream.seek(9 << 20)
        stream.write(bytes([big[9 << 20] ^ 1]))
    counted = Counter()

    mended = repair(mirror.target, mirror.settings, Publisher(), progress=counted)

    assert mended.repaired == (PATH,)
    assert file.read_bytes() == big
    assert 0 < counted.fetched <= 8 << 20


class Counter:
    """Adds up what is fetched; verification begins with a start that names the mirror."""

    def __init__(self) -> None:
        self.fetched = 0
        self._fetching = False

    def start(self, name: str, total: int | None, already: int) -> None:
        self._fetching = name.endswith(("file", "files"))

    def advance(self, count: int) -> None:
        self.fetched += count if self._fetching and count > 0 else 0

    def message(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass


def test_prune_removes_strangers_and_stale_files_and_nothing_else(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.zoo.add("net_b")
    mirror.sync()
    (mirror.root / "left" / "over").mkdir(parents=True)
    (mirror.root / "left" / "over" / "x.part").write_bytes(b"123")
    # The index has moved net_b elsewhere since.
    mirror.zoo.add("net_b", "moved/net_b.ckpt")
    mirror.sync()

    looked = prune(mirror.target, mirror.settings, Publisher(), dry_run=True)
    assert (mirror.root / "left" / "over" / "x.part").is_file()
    done = prune(mirror.target, mirror.settings, Publisher())

    assert looked == done
    assert done is not None
    assert done.extra == ("left/over/x.part",)
    assert done.stale == ("127.0.0.1/net_b/net_b.ckpt",)
    assert done.size == 5003
    assert not (mirror.root / "left").exists()
    assert mirror.file("net_a").is_file()
    assert (mirror.root / "127.0.0.1" / "moved" / "net_b.ckpt").is_file()
    assert verify(mirror.target, mirror.settings).is_sound


def test_prune_keeps_only_the_models_asked_for(mirror: Any) -> None:
    for name in ("net_a", "net_b", "other"):
        mirror.zoo.add(name)
    mirror.sync()

    done = prune(mirror.target, mirror.settings, Publisher(), keep=["net_*"])

    assert done is not None
    assert done.models == ("other",)
    assert not mirror.file("other").exists()
    assert verify(mirror.target, mirror.settings).extra == ()
    assert "other" not in (mirror.root / "LICENCES.txt").read_text().replace("another", "")


def test_prune_does_nothing_unless_agreed_and_never_empties_a_mirror(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    (mirror.root / "stranger").write_bytes(b"1")

    assert prune(mirror.target, mirror.settings, Publisher(), agree=lambda _: False) is None
    assert (mirror.root / "stranger").is_file()
    with pytest.raises(UsageError, match="no model of the mirror"):
        prune(mirror.target, mirror.settings, Publisher(), keep=["typo*"])


def test_a_folder_that_is_no_mirror_is_not_touched(mirror: Any) -> None:
    mirror.root.mkdir()
    (mirror.root / "thesis.txt").write_text("years of work")

    for act in (verify, lambda t, s: prune(t, s, Publisher())):
        with pytest.raises(MirrorError, match="is no mirror"):
            act(mirror.target, mirror.settings)
    assert (mirror.root / "thesis.txt").is_file()


def test_a_manifest_that_names_a_path_outside_is_refused(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    file = mirror.root / "manifest.json"
    for path in ("../victim", "/etc/victim", "a/../../victim", "a\\\\..\\\\victim", "C:/victim"):
        text = file.read_text().replace("127.0.0.1/net_a/net_a.ckpt", path)
        (mirror.root / "bad").mkdir(exist_ok=True)
        (mirror.root / "bad" / "manifest.json").write_text(text)
        bad = replace(mirror, root=mirror.root / "bad")
        with pytest.raises(MirrorError, match="not a path below the mirror"):
            verify(bad.target, mirror.settings)
