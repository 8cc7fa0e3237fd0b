"""Damaged files are found, and repaired with little to fetch."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from faulty_server import status

from zoohub.core.hashing import PIECE
from zoohub.store import Store
from zoohub.store.maintenance import list_items
from zoohub.transfer import fetch
from zoohub.transfer.salvage import plan_spans
from zoohub.transfer.verify import repair, verify


def flip(path, bit: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))
    path.chmod(0o444)


def flip_and_repair(server, settings, policy, make_checkpoint, *, files, flips, size, seed):
    """Flip one bit after another; returns the most that one repair fetched."""
    randomness = random.Random(seed)
    contents = [randomness.randbytes(size) for _ in range(files)]
    paths = [
        fetch(make_checkpoint(c, server.put(f"/{n}.ckpt", c)), settings, policy=policy)
        for n, c in enumerate(contents)
    ]
    store, most = Store(settings.home), 0
    while flips:
        chosen = randomness.sample(range(files), min(files, flips))
        for number in chosen:
            flip(paths[number], randomness.randrange(size * 8))
        checked = list(verify(store, list_items(store)))
        damaged = [check.item for check in checked if not check.intact]
        assert {item.path for item in damaged} == {paths[number] for number in chosen}
        for item in damaged:
            assert not item.path.exists()  # no reader sees it meanwhile
            sent = server.sent
            repaired = repair(item, settings, policy=policy)
            assert repaired.fetched == server.sent - sent
            most = max(most, repaired.fetched)
        flips -= len(chosen)
        assert [path.read_bytes() for path in paths] == contents
        assert all(check.intact for check in verify(store, list_items(store)))
    assert list((settings.home / "quarantine").iterdir()) == []
    return most


def test_flipped_bits_are_found_and_repaired_with_one_piece_each(
    server, settings, policy, make_checkpoint
):
    most = flip_and_repair(
        server, settings, policy, make_checkpoint, files=2, flips=4, size=2 * PIECE + 12345, seed=1
    )
    assert 0 < most <= PIECE


@pytest.mark.slow
def test_a_hundred_flipped_bits_are_found_and_repaired_with_one_piece_each(
    server, settings, policy, make_checkpoint
):
    most = flip_and_repair(
        server, settings, policy, make_checkpoint, files=10, flips=100, size=PIECE * 5 // 4, seed=2
    )
    assert 0 < most <= PIECE


def test_a_truncated_file_is_repaired_from_its_good_pieces(
    server, settings, policy, make_checkpoint
):
    content = random.Random(3).randbytes(2 * PIECE + 100)
    path = fetch(make_checkpoint(content, server.put("/a", content)), settings, policy=policy)
    [item] = list_items(Store(settings.home))
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.truncate(PIECE + 5)
    [checked] = verify(Store(settings.home), [item])
    assert not checked.intact
    repaired = repair(item, settings, policy=policy)
    assert repaired.path.read_bytes() == content
    assert repaired.fetched == PIECE + 100


def test_a_source_that_changed_repairs_nothing_wrongly(server, settings, policy, make_checkpoint):
    from zoohub.errors import IntegrityError

    content = random.Random(4).randbytes(PIECE + 100)
    path = fetch(make_checkpoint(content, server.put("/a", content)), settings, policy=policy)
    flip(path, 80)
    store = Store(settings.home)
    [item] = list_items(store)
    assert [check.intact for check in verify(store, [item])] == [False]
    server.put("/a", content[::-1])
    with pytest.raises(IntegrityError):
        repair(item, settings, policy=policy)
    assert list_items(store) == []
    server.put("/a", content)
    assert repair(item, settings, policy=policy).path.read_bytes() == content


def test_the_next_fetch_repairs_by_itself(server, settings, policy, make_checkpoint):
    content = random.Random(5).randbytes(3 * PIECE)
    wanted = make_checkpoint(content, server.put("/a", content))
    path = fetch(wanted, settings, policy=policy)
    flip(path, PIECE * 8 + 3)
    sent = server.sent
    assert fetch(wanted, settings, policy=policy).read_bytes() == content
    assert server.sent - sent == PIECE


def test_spans_of_a_repair_leave_gaps_where_pieces_are_bad():
    spans = plan_spans({0, 2, 3}, 3 * PIECE + 7)
    assert [(s.start, s.end, s.done) for s in spans] == [
        (0, PIECE, 0),
        (PIECE, 2 * PIECE, 2 * PIECE),
        (2 * PIECE, 3 * PIECE + 7, 2 * PIECE),
    ]


def test_several_damaged_pieces_of_one_file_are_all_that_is_fetched(
    server, settings, policy, make_checkpoint
):
    content = random.Random(6).randbytes(3 * PIECE + 77)
    path = fetch(make_checkpoint(content, server.put("/a", content)), settings, policy=policy)
    for piece in (1, 3):
        flip(path, piece * PIECE * 8 + 5)
    store = Store(settings.home)
    [item] = list_items(store)
    assert [check.intact for check in verify(store, [item])] == [False]
    sent = server.sent
    repaired = repair(item, settings, policy=policy)
    assert repaired.path.read_bytes() == content
    assert repaired.fetched == server.sent - sent == PIECE + 77


def test_a_file_that_grew_is_repaired_without_a_byte(server, settings, policy, make_checkpoint):
    content = random.Random(7).randbytes(2 * PIECE)
    path = fetch(make_checkpoint(content, server.put("/a", content)), settings, policy=policy)
    path.chmod(0o644)
    with path.open("ab") as file:
        file.write(b"more")
    [item] = list_items(Store(settings.home))
    assert [check.intact for check in verify(Store(settings.home), [item])] == [False]
    assert repair(item, settings, policy=policy).fetched == 0
    assert path.read_bytes() == content


def test_an_interrupted_repair_goes_on_where_it_was(server, settings, policy, make_checkpoint):
    from zoohub.errors import DownloadError

    settings = replace(settings, connections=1)
    content = random.Random(8).randbytes(2 * PIECE)
    path = fetch(make_checkpoint(content, server.put("/a", content)), settings, policy=policy)
    flip(path, 5)
    flip(path, PIECE * 8 + 5)
    [item] = list_items(Store(settings.home))
    assert [check.intact for check in verify(Store(settings.home), [item])] == [False]
    gone = status(404)
    server.put("/a", content, lambda handler, resource: False, always=gone)
    with pytest.raises(DownloadError):  # the first piece comes, the second does not
        repair(item, settings, policy=policy)
    server.put("/a", content)
    assert repair(item, settings, policy=policy).fetched == PIECE
    assert path.read_bytes() == content
