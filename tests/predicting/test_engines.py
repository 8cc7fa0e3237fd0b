"""Which engine computes, by what is asked and what there is."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from zoohub.core import notes
from zoohub.errors import UsageError, ZoohubError
from zoohub.predicting.engines import (
    WITHOUT,
    Machine,
    check_file_engine,
    choose_engine,
    note_once,
)
from zoohub.settings import Settings, load_settings, settings_for

BOTH = Machine(onnxruntime=True, ascend=False)
WITHOUT_ONNX = Machine(onnxruntime=False, ascend=False)
ASCEND = Machine(onnxruntime=True, ascend=True)


@pytest.mark.parametrize(
    ("asked", "device", "mode", "machine", "engine"),
    [
        ("auto", None, None, BOTH, "onnxruntime"),
        ("auto", "cpu", None, BOTH, "onnxruntime"),
        ("auto", "cpu", None, ASCEND, "onnxruntime"),
        ("auto", None, None, ASCEND, "mindspore"),
        ("auto", "ascend:1", None, BOTH, "mindspore"),
        ("auto", None, "graph", BOTH, "mindspore"),
        ("auto", None, "pynative", BOTH, "mindspore"),
        ("auto", None, None, WITHOUT_ONNX, "mindspore"),
        ("mindspore", None, None, BOTH, "mindspore"),
        ("onnxruntime", None, None, ASCEND, "onnxruntime"),
    ],
)
def test_the_engine_follows_the_device_the_mode_and_what_is_installed(
    asked: str, device: str | None, mode: str | None, machine: Machine, engine: str
) -> None:
    choice = choose_engine(asked, device, mode, machine)
    assert choice.engine == engine
    assert choice.required is (asked != "auto")


def test_only_where_the_extra_would_help_is_it_spoken_of() -> None:
    asks = itertools.product(
        ("auto", "mindspore"), (None, "cpu", "ascend"), (None, "graph"), (BOTH, WITHOUT_ONNX)
    )
    hinted = [ask for ask in asks if choose_engine(*ask).hint]
    assert hinted == [("auto", None, None, WITHOUT_ONNX), ("auto", "cpu", None, WITHOUT_ONNX)]
    assert "pip install 'zoohub[onnx]'" in WITHOUT


@pytest.mark.parametrize(
    ("device", "mode", "machine", "message"),
    [
        (None, "graph", BOTH, "mode 'graph' is MindSpore's"),
        ("ascend:0", None, BOTH, "computes on the CPU, not on device 'ascend:0'"),
        (None, None, WITHOUT_ONNX, r"is not there: pip install 'zoohub\[onnx\]'"),
    ],
)
def test_what_onnxruntime_cannot_do_is_refused(
    device: str | None, mode: str | None, machine: Machine, message: str
) -> None:
    with pytest.raises(ZoohubError, match=message):
        choose_engine("onnxruntime", device, mode, machine)


def test_a_file_has_its_own_engine() -> None:
    for name, own, other in (("a.onnx", "onnxruntime", "mindspore"),
                             ("a.mindir", "mindspore", "onnxruntime")):  # fmt: skip
        check_file_engine(Path(name), own, "auto")  # type: ignore[arg-type]
        check_file_engine(Path(name), own, own)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=f"{name} runs in {own}, not in {other}"):
            check_file_engine(Path(name), own, other)  # type: ignore[arg-type]


def test_the_engine_is_a_setting_that_a_call_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings({}).engine == "auto"
    monkeypatch.setenv("ZOOHUB_ENGINE", "MindSpore")
    assert settings_for().engine == "mindspore"
    assert settings_for(engine="onnxruntime").engine == "onnxruntime"
    with pytest.raises(UsageError, match=r"engine='gpu': write auto, mindspore or onnxruntime"):
        settings_for(engine="gpu")
    with pytest.raises(ZoohubError, match=r"ZOOHUB_ENGINE='tpu' .* is not usable"):
        load_settings({"ZOOHUB_ENGINE": "tpu"})


def test_a_hint_is_given_once_for_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    for home in ("a", "a", "b"):
        note_once("try the extra", Settings(home=tmp_path / home))
    assert said == ["try the extra"] * 2
    (tmp_path / "file").write_text("")
    note_once("try the extra", Settings(home=tmp_path / "file"))  # it cannot be remembered there
    assert len(said) == 2
