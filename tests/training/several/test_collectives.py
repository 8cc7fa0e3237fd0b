"""What workers tell each other, between two real processes under msrun."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from zoohub.training.options import Machines, Workers
from zoohub.training.several.collectives import Means, check_same, from_all, from_first
from zoohub.training.several.launch import free_port, msrun_command, worker_environment

PROGRAM = """\
import dataclasses
import sys
from pathlib import Path

import mindspore as ms
from mindspore.communication import get_rank, init

from zoohub.training import parse_recipe
from zoohub.training.several import collectives as together
from zoohub.training.options import Workers

ms.set_context(mode=ms.GRAPH_MODE)
init("mccl")
rank = get_rank()
workers = Workers(2, rank)
together.CHUNK_WORDS = 5
said = {}
for size in (0, 1, 20, 43):
    content = bytes(range(200, 200 + size))
    assert together.from_first(content if rank == 0 else b"not looked at", workers) == content
assert together.from_all(b"ab" * rank, workers) == [b"", b"ab"]
assert together.from_all(b"", workers) == [b"", b""]
mean = together.Means(2)
assert mean.of([1.0 + rank, -4.0]) == [1.5, -4.0]
assert mean.of([2.0 * rank]) == [1.0]

recipe = parse_recipe("model: lenet5\\ndata: {kind: folder, path: /photos}")
moved = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, path=f"/{rank}"))
together.check_same(moved, [b"a.png", b"b.png"], 2, workers)
for settings, names in ((dataclasses.replace(recipe, seed=rank), [b"a.png"]),
                        (recipe, [b"a.png"][rank:])):
    try:
        together.check_same(settings, names, len(names), workers)
    except Exception as error:
        said[type(error).__name__] = str(error)
Path(sys.argv[1]).with_name(f"said-{rank}").write_text(repr(said))
"""


@pytest.mark.slow
def test_two_workers_agree_share_and_disagree_in_the_same_words(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = msrun_command(tmp_path, Machines(2, 1, f"127.0.0.1:{free_port()}", 0))
    command[-2:] = [str(program), str(program)]
    done = subprocess.run(
        command, cwd=tmp_path, env=worker_environment(), capture_output=True, text=True, timeout=300
    )
    log = tmp_path / "worker_0.log"
    assert done.returncode == 0, log.read_text()[-3000:]
    said = [(tmp_path / f"said-{rank}").read_text() for rank in (0, 1)]
    assert said[0] == said[1]
    assert "worker 1 has other settings" in said[0]
    assert "worker 1 has other data (0 to train on) than the first one (1)" in said[0]


def test_alone_there_is_nobody_to_ask() -> None:
    alone = Workers()
    check_same(None, [], 0, alone)  # type: ignore[arg-type]
    assert from_first(b"state", alone) == b"state"
    assert from_all(b"a", alone) == [b"a"]
    assert Means(1).of([0.5]) == [0.5]
