"""What a network's parameters need is held against the machine's memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import zoohub
from tests.cli.program import zoohub as run
from zoohub.errors import NotEnoughMemory, ZoohubError
from zoohub.models.memory import Memory, amount, check_memory, machine_memory, needed_bytes
from zoohub.training import parse_recipe

GIGABYTE = 2**30


def machine(root: Path, limits: dict[str, str], cgroup: str = "0::/") -> Path:
    """A machine of 8 GiB, 2 of them free, whose cgroups have these files."""
    files = {
        "proc/meminfo": "MemTotal:  8388608 kB\nMemFree: 1 kB\nMemAvailable:  2097152 kB\n",
        "proc/self/cgroup": cgroup,
        **{f"sys/fs/cgroup/{name}": text for name, text in limits.items()},
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("limits", "cgroup", "total"),
    [
        ({}, "0::/", 8),
        ({"memory.max": "max"}, "0::/", 8),
        ({"memory.max": str(3 * GIGABYTE)}, "0::/", 3),
        ({"a/memory.max": str(GIGABYTE), "a/b/memory.max": "max"}, "0::/a/b", 1),
        ({"memory/memory.limit_in_bytes": str(4 * GIGABYTE)}, "9:memory:/", 4),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, "9:memory:/", 8),
        ({"memory/d/memory.limit_in_bytes": str(2 * GIGABYTE)}, "9:memory:/d", 2),
    ],
)
def test_the_smallest_limit_of_machine_and_container_counts(
    tmp_path: Path, limits: dict[str, str], cgroup: str, total: int
) -> None:
    memory = machine_memory(machine(tmp_path, limits, cgroup))
    assert memory is not None
    assert memory.total == total * GIGABYTE
    assert memory.free == min(2, total) * GIGABYTE


@pytest.mark.parametrize("text", [None, "", "MemTotal: many kB", "nothing"])
def test_a_machine_that_says_nothing_is_not_known(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/meminfo").write_text(text)
    assert machine_memory(tmp_path) is None


def test_parameters_take_four_bytes_else_the_file_tells_else_nobody() -> None:
    entry = replace(zoohub.info("resnet50"), parameter_count=1000)
    checkpoint = entry.checkpoint()
    assert checkpoint is not None
    assert needed_bytes(entry, checkpoint) == 4000
    entry = replace(entry, parameter_count=None)
    assert needed_bytes(entry, replace(checkpoint, size=77)) == 77
    assert needed_bytes(entry, replace(checkpoint, size=None)) is None
    assert needed_bytes(entry, None) is None


@pytest.mark.parametrize(("count", "fits"), [(10, True), (250, True), (251, False), (None, True)])
def test_what_cannot_fit_is_refused_but_by_force(count: int | None, fits: bool) -> None:
    entry = replace(zoohub.info("resnet50"), parameter_count=count)
    checkpoint = None if count is None else entry.checkpoint()
    if fits:
        check_memory(entry, checkpoint, force=False, memory=Memory(1000))
        return
    with pytest.raises(NotEnoughMemory, match=r"this machine has 1 kB .*Nothing was fetched"):
        check_memory(entry, checkpoint, force=False, memory=Memory(1000))
    check_memory(entry, checkpoint, force=True, memory=Memory(1000))


@pytest.fixture
def giant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of a thousand million million parameters, whose file is nowhere."""
    index = tmp_path / "giant.yaml"
    index.write_text(
        "family: lenet\ntask: image-classification\nmodels:\n  giant:\n"
        "    parameter_count: 1000000000000000\n    default: own\n    checkpoints:\n      own:\n"
        "        publisher: tests\n        format: ckpt\n"
        f"        sources: ['{(tmp_path / 'none.ckpt').as_uri()}']\n"
        "    network: {builder: lenet, arguments: {num_classes: 10}}\n"
        "    input: {size: [32, 32], channels: 1, colour: L, layout: NCHW, value_range: 0..1, "
        "resize: stretch, interpolation: bilinear}\n"
    )
    monkeypatch.setenv("ZOOHUB_INDEX", str(index))
    return "giant"


def test_load_refuses_a_giant_before_anything_is_fetched(giant: str, tmp_path: Path) -> None:
    for given in ({"pretrained": True}, {}, {"checkpoint": {}}):
        with pytest.raises(NotEnoughMemory, match="giant"):
            zoohub.load(giant, **given)
    with pytest.raises(NotEnoughMemory):
        zoohub.predict(giant, tmp_path)
    with pytest.raises(NotEnoughMemory):
        zoohub.finetune(giant, "digits", output=tmp_path / "run")
    with pytest.raises(NotEnoughMemory):
        zoohub.finetune(giant, "digits", checkpoint=None, output=tmp_path / "run")
    # By force the road goes on, to the file that is not there.
    with pytest.raises(ZoohubError, match=r"none\.ckpt"):
        zoohub.load(giant, pretrained=True, force=True)


RECIPE = "model: giant\ncheckpoint: default\ndata: {kind: digits}\nepochs: 1\n"


def test_a_recipe_and_a_run_to_resume_are_refused_beforehand_too(
    giant: str, tmp_path: Path
) -> None:
    recipe, folder = tmp_path / "giant-recipe.yaml", tmp_path / "run"
    recipe.write_text(RECIPE)
    with pytest.raises(NotEnoughMemory, match="giant"):
        zoohub.finetune(recipe, output=folder)
    with pytest.raises(NotEnoughMemory, match="giant"):
        zoohub.finetune(parse_recipe(RECIPE), output=folder)
    assert not folder.exists()
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(NotEnoughMemory, match="giant"):
        zoohub.finetune(folder, resume=True)
    with pytest.raises(ZoohubError, match=r"none\.ckpt"):
        zoohub.finetune(recipe, output=tmp_path / "forced", force=True)


def test_info_says_what_a_network_needs(giant: str) -> None:
    assert "does not fit this machine" in run("info", giant).stdout
    assert "memory        102 MB for the parameters" in run("info", "resnet50").stdout


@pytest.mark.parametrize(
    ("size", "told"),
    [(999, "999 bytes"), (97_500_000, "97.5 MB"), (102e6, "102 MB"), (4e15, "4000 TB")],
)
def test_amounts_are_told_in_decimal_units(size: float, told: str) -> None:
    assert amount(int(size)) == told
