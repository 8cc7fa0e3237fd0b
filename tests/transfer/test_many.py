"""Many files at once."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import threading
import time

import pytest
from faulty_server import status

from zoohub.errors import DownloadError
from zoohub.transfer import fetch_many

CONTENTS = [random.Random(n).randbytes(20_000 + n) for n in range(30)]


def test_results_come_in_order_and_a_failure_keeps_nobody(
    server, settings, policy, make_checkpoint, listener
):
    wanted = [
        make_checkpoint(content, server.put(f"/{n}.ckpt", content), id=str(n))
        for n, content in enumerate(CONTENTS)
    ]
    server.put("/7.ckpt", b"", always=status(404))
    results = fetch_many(wanted, settings, jobs=4, policy=policy, progress=listener)
    assert [result.checkpoint.id for result in results] == [str(n) for n in range(30)]
    assert isinstance(results[7].error, DownloadError)
    assert [n for n, result in enumerate(results) if result.path is None] == [7]
    for result, content in zip(results, CONTENTS, strict=True):
        assert result.path is None or result.path.read_bytes() == content
    assert listener.finished
    assert listener.done == sum(map(len, CONTENTS)) - len(CONTENTS[7])


def test_connections_are_kept_alive_from_file_to_file(server, settings, policy, make_checkpoint):
    wanted = [
        make_checkpoint(content, server.put(f"/{n}.ckpt", content))
        for n, content in enumerate(CONTENTS)
    ]
    fetch_many(wanted, settings, jobs=3, policy=policy)
    assert server.connections <= 3


def test_a_file_asked_for_twice_is_transferred_once(server, settings, policy, make_checkpoint):
    server.before_part = lambda handler: time.sleep(0.05)
    wanted = make_checkpoint(CONTENTS[0], server.put("/0.ckpt", CONTENTS[0]))
    results = fetch_many([wanted] * 4, settings, jobs=4, policy=policy)
    assert len({result.path for result in results}) == 1
    assert server.sent == len(CONTENTS[0])


def test_nothing_is_done_for_nothing(settings):
    assert fetch_many([], settings) == []


def test_an_interrupt_stops_all_and_keeps_what_came(server, settings, policy, make_checkpoint):
    content = random.Random(99).randbytes(2_000_000)
    server.before_part = lambda handler: time.sleep(0.02)
    wanted = [
        make_checkpoint(content + bytes([n]), server.put(f"/{n}", content + bytes([n])))
        for n in range(6)
    ]
    slow = dataclasses.replace(policy, stall=5.0, slow_window=60.0)
    moment: list[float] = []

    def interrupt() -> None:
        while server.sent < 1_000_000:
            time.sleep(0.01)
        moment.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    # MindSpore, if another test has imported it, has put a handler here that ends the process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        fetch_many(wanted, settings, jobs=3, policy=slow)
    assert time.monotonic() - moment[0] < 3
    parts = list((settings.home / "partial").glob("*.part"))
    assert sum(part.stat().st_size for part in parts) > 500_000
    assert all(part.name.count(".") == 1 for part in parts)  # idle: anybody may go on
