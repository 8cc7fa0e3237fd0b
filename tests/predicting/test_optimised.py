"""A compiled form as onnxruntime optimised it: kept beside it, for this machine alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.predicting import optimised
from zoohub.running import OnnxRunner, sessions
from zoohub.running.sessions import Optimised, optimiser_facts
from zoohub.store import Store, compiled
from zoohub.store.compiled import (
    CompiledRecord,
    form_path,
    forms_of,
    publish_compiled,
    read_compiled,
)
from zoohub.store.maintenance import is_form, list_items, plan_prune, prune

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

INPUT = {"image": np.random.default_rng(1).random((3, 3, 16, 16), np.float32)}


def form() -> bytes:
    """A convolution, whose weights onnxruntime arranges for the processor, and a bias."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    constants = {"w": rng.random((32, 3, 3, 3), np.float32), "b": rng.random(32, np.float32)}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w", "b"], ["y"], kernel_shape=[3, 3])],
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 32, 14, 14])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(optimised, "WORTH", 0)
    return Store(tmp_path)


@pytest.fixture
def record(store: Store) -> CompiledRecord:
    known = CompiledRecord("net@one", "a" * 64)
    return publish_compiled(store, "f" * 64, known, lambda: (form(), {}), print)


def opened(store: Store, record: CompiledRecord) -> tuple[OnnxRunner, bool]:
    """A runner of the form, and whether of what is optimised; its outputs are the form's own."""
    path = form_path(store, record)
    assert path is not None
    runner = optimised.open_form(store, record, path, ("image",))
    assert np.array_equal(runner.run(INPUT)["y"], OnnxRunner(path).run(INPUT)["y"])
    return runner, isinstance(runner._source, Optimised)


def kept(store: Store) -> list[Any]:
    return [item for item in list_items(store) if item.names == ("net@one (optimised)",)]


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def optimise(*_: object) -> None:
        raise AssertionError("it is there already")

    monkeypatch.setattr(optimised, "optimise", optimise)


def test_it_is_made_once_and_opened_from_then_on(
    store: Store, record: CompiledRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened(store, record)[1]
    (item,) = kept(store)
    assert is_form(item)
    assert list(store.layout.partial.iterdir()) == []
    forbid(monkeypatch)
    assert opened(store, record)[1]


def test_another_processor_or_onnxruntime_has_its_own(
    store: Store, record: CompiledRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(store, record)
    facts = optimiser_facts()
    assert facts is not None
    asked = []
    real = sessions.optimise

    def optimise(*given: Path) -> Optimised:
        asked.append(given)
        return real(*given)

    monkeypatch.setattr(optimised, "optimise", optimise)
    for other in ("onnxruntime", "processor"):
        monkeypatch.setattr(optimised, "optimiser_facts", lambda o=other: {**facts, o: "another"})
        assert opened(store, record)[1]
    assert len(asked) == 2
    monkeypatch.setattr(optimised, "optimiser_facts", lambda: None)
    assert not opened(store, record)[1]


def test_facts_are_the_processors_kind_and_no_more(tmp_path: Path) -> None:
    said = "processor : {0}\nmodel name : X\nflags : fpu {1}\ncpu MHz : {0}\n\nprocessor : 1\n"
    cpuinfo = tmp_path / "cpuinfo"
    found = []
    for values in ((0, "avx2"), (1, "avx2"), (0, "avx2 avx512f")):
        cpuinfo.write_text(said.format(*values))
        found.append(optimiser_facts(cpuinfo))
    assert found[0] == found[1] != found[2]
    cpuinfo.write_text("")
    assert optimiser_facts(cpuinfo) is None
    assert optimiser_facts(tmp_path / "nothing") is None


def test_damaged_it_is_made_again(store: Store, record: CompiledRecord) -> None:
    opened(store, record)
    (item,) = kept(store)
    whole = item.path.read_bytes()
    item.path.chmod(0o644)
    item.path.write_bytes(b"\1" + whole[1:])
    assert opened(store, record)[1]
    assert item.path.read_bytes() == whole


def test_a_damaged_graph_leaves_the_form_running_and_is_made_again(
    store: Store, record: CompiledRecord
) -> None:
    opened(store, record)
    (known,) = [f for f in store.layout.compiled.glob("*.json") if "optimised" in f.read_text()]
    whole = read_compiled(store, known.stem)
    assert whole is not None
    for damaged in ({"graph": whole.said["graph"][:40]}, {}):
        compiled._write(store, known.stem, replace(whole, said=damaged))  # its seal fits
        assert not opened(store, record)[1]
        assert opened(store, record)[1]  # made again


def test_a_damaged_record_is_made_again(store: Store, record: CompiledRecord) -> None:
    opened(store, record)
    (known,) = [f for f in store.layout.compiled.glob("*.json") if "optimised" in f.read_text()]
    content = known.read_text()
    known.write_text(json.dumps({**json.loads(content), "said": {}}))
    assert opened(store, record)[1]
    assert known.read_text() == content


def test_what_onnxruntime_cannot_do_is_not_tried_again(
    store: Store, record: CompiledRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_LEAST", 1 << 40)  # nothing is written apart
    assert not opened(store, record)[1]
    assert list(store.layout.partial.iterdir()) == []
    forbid(monkeypatch)
    assert not opened(store, record)[1]


def test_without_room_the_form_itself_runs(
    store: Store, record: CompiledRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "free", lambda self: 10)
    assert not opened(store, record)[1]
    monkeypatch.undo()
    monkeypatch.setattr(optimised, "WORTH", 1 << 30)
    assert not opened(store, record)[1]  # a small one is there at once
    assert kept(store) == []


def test_it_goes_with_its_checkpoint_and_when_it_was_not_used(
    store: Store, record: CompiledRecord
) -> None:
    opened(store, record)
    (item,) = kept(store)
    assert forms_of(store, {"a" * 64}) == {record.sha256, item.sha256}
    prune(store, plan_prune([item], now=0, max_size=0))
    assert kept(store) == []
    assert len(list(store.layout.compiled.glob("*.json"))) == 1
    assert opened(store, record)[1]
