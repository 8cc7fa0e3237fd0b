"""Claims: one owner a file; the dead are succeeded, the paused copied, the living waited for."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.store.claims import Pulse, acquire, rivals
from zoohub.store.owner import UNKNOWN, Owner, boot_id, provably_dead, this_owner
from zoohub.store.policy import TransferPolicy

KEY = "ab" * 32
POLICY = TransferPolicy(stale_after=0.3, poll=0.01, notice_every=0.05, wait_limit=20.0)
needs_proc = pytest.mark.skipif(boot_id() == UNKNOWN, reason="needs /proc")


def claim(folder: Path, policy: TransferPolicy = POLICY, **changes: object):
    said: list[str] = []
    options = {"published": lambda: False, "notice": said.append, **changes}
    return acquire(folder, KEY, policy=policy, pulse=Pulse(policy), **options)  # type: ignore[arg-type]


def plant(folder: Path, owner: Owner, content: bytes, kind: str = "part") -> Path:
    path = folder / f"{KEY}.{owner}.{kind}"
    path.write_bytes(content)
    return path


def dead_owner() -> Owner:
    """A process of this boot that is gone: a pid beyond the system's highest."""
    return dataclasses.replace(this_owner(), pid=2**22 + 1)


def stranger() -> Owner:
    """A process on another machine, of which nothing can be proven."""
    return Owner("elsewhere", "0123456789abcdef", 1, 1, "cafe0000")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(
    st.text("abcXYZ019_~", min_size=1, max_size=64),
    st.integers(1, 2**31),
    st.integers(0, 2**62),
)
def test_an_owner_is_read_back_from_its_name(host, pid, start):
    owner = Owner(host, "0123456789abcdef", pid, start, "cafe0000")
    assert Owner.parse(str(owner)) == owner


def test_a_name_that_tells_of_no_owner_is_nobodys():
    assert [Owner.parse(text) for text in ("", "a-b", "a-b-c-d-e", "../x-y-1-2-z")] == [None] * 4


@needs_proc
def test_this_process_is_alive_and_another_start_time_is_another_process():
    me = this_owner()
    assert not provably_dead(me, me)
    assert provably_dead(dataclasses.replace(me, start=me.start + 1), me)
    assert provably_dead(dead_owner(), me)


def test_nobody_of_another_host_or_boot_is_ever_proven_dead():
    me = this_owner()
    gone = dead_owner()
    assert not provably_dead(dataclasses.replace(gone, host="elsewhere"), me)
    assert not provably_dead(dataclasses.replace(gone, boot="f" * 16), me)
    assert not provably_dead(dataclasses.replace(gone, boot=UNKNOWN), me)


def test_an_idle_file_is_renamed_and_becomes_idle_again(tmp_path):
    idle = tmp_path / f"{KEY}.part"
    idle.write_bytes(b"begun")
    inode = idle.stat().st_ino
    held = claim(tmp_path)
    with held as partial:
        assert partial.path.stat().st_ino == inode
        assert not idle.exists()
        assert partial.have == 5
    assert names(tmp_path)[-1] == f"{KEY}.part"
    assert idle.stat().st_ino == inode
    assert [name for name in names(tmp_path) if name.endswith(".claim")] == []


def test_an_untouched_claim_leaves_nothing(tmp_path):
    with claim(tmp_path):
        pass
    assert names(tmp_path) == []


def test_what_is_published_just_before_the_claim_is_not_fetched_again(tmp_path):
    (tmp_path / f"{KEY}.part").write_bytes(b"begun")
    looks = iter([False, True])  # the owner publishes and leaves between the two
    assert claim(tmp_path, published=lambda: next(looks)) is None
    assert names(tmp_path) == []


def test_who_is_interrupted_as_the_claim_is_made_leaves_what_was_begun(tmp_path):
    (tmp_path / f"{KEY}.part").write_bytes(b"begun")
    looks = iter([False])

    def published() -> bool:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        claim(tmp_path, published=published)
    assert names(tmp_path) == [f"{KEY}.part"]


@needs_proc
def test_a_dead_owners_file_is_renamed_with_its_note(tmp_path):
    owner = dead_owner()
    path = plant(tmp_path, owner, b"begun")
    plant(tmp_path, owner, b"", "claim")
    plant(tmp_path, owner, b"{", "map.cafe.new")
    inode = path.stat().st_ino
    with claim(tmp_path) as partial:
        assert partial.path.stat().st_ino == inode
        assert len(names(tmp_path)) == 2  # its flag and its file: the dead one's are gone


def test_a_stale_owners_file_is_copied_never_renamed(tmp_path):
    path = plant(tmp_path, stranger(), b"begun")
    inode = path.stat().st_ino
    with claim(tmp_path) as partial:
        assert partial.path.stat().st_ino != inode
        assert partial.path.read_bytes() == b"begun"
        with path.open("r+b") as paused:
            paused.write(b"AWAKE")
        assert partial.path.read_bytes() == b"begun"
    assert path.stat().st_ino == inode


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.0, 4e9], ids=["1970", "2096"])
def test_another_machines_clock_does_not_matter(tmp_path, moment):
    path = plant(tmp_path, stranger(), b"begun")
    stop = threading.Event()

    def live() -> None:
        tick = moment
        while not stop.wait(0.05):
            tick += 1
            os.utime(path, (tick, tick))

    os.utime(path, (moment, moment))
    living = threading.Thread(target=live)
    living.start()
    policy = dataclasses.replace(POLICY, stale_after=0.5)
    began = time.monotonic()
    published_after = lambda: time.monotonic() - began > 1.5  # noqa: E731
    assert claim(tmp_path, policy, published=published_after) is None  # it was waited for
    stop.set()
    living.join()
    with claim(tmp_path, policy) as partial:  # it stands still: it is overtaken
        assert partial.path.read_bytes() == b"begun"


def test_after_the_limit_a_waiter_starts_its_own_from_zero(tmp_path):
    path = plant(tmp_path, stranger(), b"begun")
    policy = dataclasses.replace(POLICY, stale_after=60, wait_limit=0.2)
    with claim(tmp_path, policy) as partial:
        assert partial.path.read_bytes() == b""
    assert path.read_bytes() == b"begun"


def test_who_waits_says_for_whom(tmp_path):
    plant(tmp_path, stranger(), b"begun")
    said: list[str] = []
    policy = dataclasses.replace(POLICY, stale_after=0.4)
    with claim(tmp_path, policy, notice=said.append):
        pass
    assert said
    assert all("elsewhere" in text for text in said)


def test_of_many_threads_one_owns_the_file_at_a_time(tmp_path):
    owners: list[str] = []
    at_once: list[int] = []
    policy = dataclasses.replace(POLICY, stale_after=10)

    def work() -> None:
        with claim(tmp_path, policy) as partial:
            owners.append(str(partial.owner))
            at_once.append(len(list(tmp_path.glob(f"{KEY}.*.part"))))
            time.sleep(0.01)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(owners)) == 12
    assert at_once == [1] * 12
    assert names(tmp_path) == []


def test_rivals_are_only_those_of_the_same_key(tmp_path):
    plant(tmp_path, stranger(), b"")
    (tmp_path / f"{'cd' * 32}.{stranger()}.part").write_bytes(b"")
    (tmp_path / f"{KEY}.part").write_bytes(b"")
    (tmp_path / f"{KEY}.{stranger()}.map").write_bytes(b"")
    assert [rival.kind for rival in rivals(tmp_path, KEY, this_owner())] == ["part"]
