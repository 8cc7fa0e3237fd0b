"""Listing, pruning and removing: a plan first, then the deed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.store import Store
from zoohub.store.layout import record_path
from zoohub.store.maintenance import (
    Item,
    list_items,
    list_remains,
    plan_prune,
    prune,
    remove_items,
)
from zoohub.store.owner import this_owner

DAY = 86400.0


def item(number: int, size: int, used: float) -> Item:
    return Item(f"{number:064x}", Path(f"{number:064x}.ckpt"), size, (), None, used, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three files of 100, 200 and 300 bytes, used one, two and three days ago."""
    store = Store(tmp_path)
    store.prepare()
    for number in (1, 2, 3):
        content = bytes([number]) * (100 * number)
        path = store.layout.blob(hashlib.sha256(content).hexdigest(), "ckpt")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        assert store.check(path)
        used = time.time() - number * DAY
        os.utime(record_path(path), (used, used))
    return store


def test_items_are_listed_with_the_least_recently_used_first(store):
    assert [item.size for item in list_items(store)] == [300, 200, 100]
    assert all(item.verified for item in list_items(store))


def test_an_empty_store_has_no_items(tmp_path):
    assert list_items(Store(tmp_path / "none")) == []


def test_a_plan_says_what_goes_and_touches_nothing(store):
    plan = plan_prune(list_items(store), now=time.time(), older_than=1.5 * DAY)
    assert ([i.size for i in plan.remove], [i.size for i in plan.keep]) == ([300, 200], [100])
    assert plan.freed == 500
    assert len(list_items(store)) == 3
    assert prune(store, plan) == 500
    assert [item.size for item in list_items(store)] == [100]
    files = [path for path in store.layout.blobs.rglob("*") if path.is_file()]
    assert len(files) == 2  # a file, its record


def test_without_limits_nothing_goes():
    plan = plan_prune([item(1, 10, 0.0)], now=1e9)
    assert plan.remove == ()


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1000)), max_size=30),
    st.integers(0, 5000),
    st.floats(0, 1000),
)
def test_a_plan_keeps_its_limits_and_takes_the_oldest(files, max_size, older_than):
    items = [item(number, size, used) for number, (size, used) in enumerate(files)]
    plan = plan_prune(items, now=1000.0, older_than=older_than, max_size=max_size)
    assert {*plan.remove, *plan.keep} == set(items)
    assert sum(i.size for i in plan.keep) <= max_size
    assert all(1000.0 - i.used <= older_than for i in plan.keep)
    if plan.keep and plan.remove:
        assert max(i.used for i in plan.remove) <= min(i.used for i in plan.keep)


def test_removing_what_is_gone_already_frees_nothing(store):
    items = list_items(store)
    assert remove_items(items) == 600
    assert remove_items(items) == 0


def test_old_remains_go_and_fresh_ones_stay(store):
    old, fresh = store.layout.partial / "old.part", store.layout.partial / "fresh.part"
    for path in (old, fresh):
        path.write_bytes(b"x" * 50)
    os.utime(old, (1, 1))
    now = time.time()
    remains = list_remains(store, now=now)
    plan = plan_prune([], now=now, remains=remains)
    assert (plan.remains, plan.freed) == ((old,), 50)
    assert prune(store, plan) == 50
    assert [path.name for path in store.layout.partial.iterdir()] == ["fresh.part"]


def test_an_idle_file_that_a_download_took_meanwhile_is_left_alone(store):
    idle = store.layout.partial / "ab.part"
    idle.write_bytes(b"x")
    os.utime(idle, (1, 1))
    now = time.time()
    plan = plan_prune([], now=now, remains=list_remains(store, now=now))
    taken = idle.with_name(f"ab.{this_owner()}.part")
    idle.rename(taken)
    assert prune(store, plan) == 0
    assert taken.exists()
