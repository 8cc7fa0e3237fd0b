"""A network by name: compiled once, checked, kept, and run without MindSpore from then on."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoohub
from tests.full_disk import files_limited_to
from zoohub.checkpoint import write_ckpt
from zoohub.cli.main import main
from zoohub.errors import ExportError, UsageError, ZoohubError
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.models.subjects import find_subject
from zoohub.outputs.form import Array
from zoohub.predicting import open_predictor
from zoohub.predicting.compiled import MakingRunner, check_form, find_form, making_whole
from zoohub.predicting.predictor import cell_runner
from zoohub.settings import load_settings
from zoohub.store import Store
from zoohub.store.compiled import form_path, read_compiled
from zoohub.store.maintenance import is_form, list_items

pytest.importorskip("onnxruntime")

NAME = "lenet5@digits"
# Runs a command as `zoohub` does and tells on its last line of stderr what it imported and asked
# the net for.
PROGRAM = """
import sys
asked = []
sys.addaudithook(lambda event, _: asked.append(event)
                 if event in ("socket.connect", "socket.getaddrinfo") else None)
from zoohub.cli.main import main
code = main(sys.argv[1:])
heavy = [name for name in ("mindspore", "onnx", "onnxruntime") if name in sys.modules]
if sys.argv[1] == "predict":  # needs no task but the network's own
    heavy += [name for name in ("zoohub.tasks.translation.task",) if name in sys.modules]
print(code, heavy, asked, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for place, image in enumerate(heldout_digits().images[:40]):
        Image.fromarray(np.asarray(image, np.uint8)).save(folder / f"{place:02}.png")
    return folder


@pytest.fixture(scope="module")
def compiled(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, compiled_index: list[Path]
) -> Path:
    """A store in which the network's form was made by a first call."""
    home = tmp_path_factory.mktemp("compiled-home")
    (home / "index").mkdir()
    for file in compiled_index:
        os.link(file, home / "index" / file.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOOHUB_HOME", str(home))
        (found,) = zoohub.predict(NAME, pictures / "00.png")
    assert found.engine == "onnxruntime"
    return home


@pytest.fixture
def home(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which a test may damage."""
    home = tmp_path / "home"
    shutil.copytree(compiled, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("index"))
    monkeypatch.setenv("ZOOHUB_HOME", str(home))
    return home


def run(*arguments: str, **environ: str) -> tuple[list[Any], str]:
    """What a command prints as JSON, and the last line of what it says."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, "--json"],
        env={**os.environ, **environ}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return json.loads(done.stdout or "[]"), done.stderr.strip().splitlines()[-1]


def test_the_second_call_imports_neither_mindspore_nor_onnx(home: Path, pictures: Path) -> None:
    rows, said = run("predict", NAME, str(pictures / "03.png"), str(pictures / "04.png"))
    assert said == "0 ['onnxruntime'] []"
    assert [row["engine"] for row in rows] == ["onnxruntime"] * 2
    assert {len(row["predictions"]) for row in rows} == {5}


@pytest.mark.slow
def test_offline_it_asks_the_net_for_nothing(home: Path, pictures: Path) -> None:
    _, said = run("predict", NAME, str(pictures), "--offline", "--batch-size", "7")
    assert said == "0 ['onnxruntime'] []"
    _, said = run("eval", NAME, "--data", "digits", "--offline")
    assert said == "0 ['onnxruntime'] []"


@pytest.mark.slow
def test_a_read_only_store_serves_the_form(home: Path, pictures: Path) -> None:
    for folder in (home, *home.rglob("*")):
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    try:
        rows, said = run("predict", NAME, str(pictures / "03.png"))
    finally:
        for folder in (home, *(path for path in home.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
    assert said == "0 ['onnxruntime'] []"
    assert rows[0]["engine"] == "onnxruntime"


def test_both_engines_say_the_same(home: Path, pictures: Path) -> None:
    fast = zoohub.predict(NAME, pictures, top=10, batch_size=8)
    slow = zoohub.predict(NAME, pictures, top=10, batch_size=8, engine="mindspore")
    assert {p.engine for p in fast} == {"onnxruntime"}
    assert {p.engine for p in slow} == {"mindspore"}
    for one, other in zip(fast, slow, strict=True):
        scores = [{label.index: label.score for label in p.predictions} for p in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    figures = [zoohub.evaluate(NAME, "digits", engine=e) for e in ("onnxruntime", "mindspore")]
    assert [f.pop("engine") for f in figures] == ["onnxruntime", "mindspore"]
    assert figures[0].pop("loss") == pytest.approx(figures[1].pop("loss"), abs=1e-5)
    assert figures[0] == figures[1]


def test_a_stream_gives_what_predict_gives_one_after_another(home: Path, pictures: Path) -> None:
    (pictures / "05x.png").write_bytes(b"no picture")
    try:
        stream = zoohub.predict_stream(NAME, pictures, batch_size=4, top=1)
        first = next(stream)
        rest = list(stream)
        assert [first, *rest] == zoohub.predict(NAME, pictures, batch_size=1, top=1)
    finally:
        (pictures / "05x.png").unlink()
    names = [Path(p.input).name for p in (first, *rest)]
    assert names == sorted(names)
    assert [Path(p.input).name for p in rest if p.error] == ["05x.png"]


@pytest.mark.slow
@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_killed_run_goes_on_and_ends_the_same(
    home: Path, pictures: Path, tmp_path: Path, format: str
) -> None:
    whole, part = tmp_path / f"whole.{format}", tmp_path / f"part.{format}"
    inputs = [str(pictures)] * 50
    assert main(["predict", NAME, *inputs, f"--{format}", str(whole), "-q"]) == 0
    again = ["predict", NAME, *inputs, f"--{format}", str(part), "--resume"]
    worker = subprocess.Popen([sys.executable, "-c", PROGRAM, *again], stderr=subprocess.DEVNULL)
    while not part.exists() or part.stat().st_size < 20_000:
        time.sleep(0.005)
        assert worker.poll() is None
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert part.stat().st_size < whole.stat().st_size
    assert main([*again, "-q"]) == 0
    assert part.read_bytes() == whole.read_bytes()
    assert main(["predict", NAME, *inputs, f"--{format}", str(part), "-q"]) == 1


def test_another_model_or_other_options_do_not_go_on_with_a_file(
    home: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tmp_path / "found.jsonl"
    predict = ["predict", NAME, str(pictures), "--jsonl", str(found), "-q"]
    assert main([*predict, "--top", "3"]) == 0
    whole = found.read_bytes()
    assert main([*predict, "--top", "2", "--resume"]) == 1
    assert f"holds the results of {NAME} (top 3, weights " in capsys.readouterr().err
    assert main([*predict, "--top", "3", "--batch-size", "4", "--resume"]) == 0
    assert found.read_bytes() == whole


def test_a_file_is_needed_to_resume(home: Path, pictures: Path) -> None:
    assert main(["predict", NAME, str(pictures), "--resume"]) == UsageError.exit_code


def test_damage_is_noticed_and_the_form_made_again(home: Path, pictures: Path) -> None:
    (item,) = [item for item in list_items(Store(home)) if is_form(item)]
    whole = item.path.read_bytes()
    item.path.chmod(0o644)
    item.path.write_bytes(whole[:1000] + b"\0\0\0\0" + whole[1004:])
    (found,) = zoohub.predict(NAME, pictures / "00.png")
    assert found.engine == "onnxruntime"
    assert item.path.read_bytes() == whole  # the writer's bytes are the same each time


def test_it_is_listed_and_removed_with_its_checkpoint(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "list"]) == 0
    assert f"{NAME} (compiled)" in capsys.readouterr().out
    assert main(["cache", "remove", NAME, "-y"]) == 0
    assert list_items(Store(home)) == []
    assert list((home / "compiled").iterdir()) == []


def test_clear_removes_it_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "--dry-run"]) == 0
    assert len(list_items(Store(home))) == 2
    assert main(["cache", "clear", "-y"]) == 0
    assert list_items(Store(home)) == []
    assert "freed" in capsys.readouterr().err


def test_a_damaged_form_is_removed_by_repair(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (item,) = [item for item in list_items(Store(home)) if is_form(item)]
    item.path.chmod(0o644)
    item.path.write_bytes(b"x" * item.size)
    assert main(["cache", "verify", "--repair"]) == 0
    assert "it is made again when it is needed" in capsys.readouterr().err
    assert [is_form(item) for item in list_items(Store(home))] == [False]


def test_a_network_in_hand_runs_in_mindspore(home: Path, pictures: Path) -> None:
    net = zoohub.load(NAME, pretrained=True)
    for parameter in net.trainable_params():
        parameter.set_data(parameter * 0)
    (found,) = zoohub.predict(net, pictures / "00.png", top=10)
    assert found.engine == "mindspore"
    assert [label.score for label in found.predictions] == pytest.approx([0.1] * 10)
    with pytest.raises(UsageError, match="its weights may have changed"):
        zoohub.predict(net, pictures / "00.png", engine="onnxruntime")


@pytest.mark.slow
def test_a_file_of_ones_own_has_a_form_too(home: Path, pictures: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.ckpt"
    arrays = {name: array.copy() for name, array in zoohub.load_weights(NAME).items()}
    write_ckpt(file, arrays)
    picture, model = str(pictures / "03.png"), "lenet5@digits"
    published = zoohub.predict(model, picture, top=10)[0].predictions
    (found,) = zoohub.predict(model, picture, checkpoint=file, top=10)
    assert found.engine == "onnxruntime"
    assert found.predictions == published
    rows, said = run("predict", model, picture, "--checkpoint", str(file))
    assert said == "0 ['onnxruntime'] []"
    assert rows[0]["predictions"][0]["index"] == published[0].index
    arrays["fc3.bias"][7] += 100
    write_ckpt(file, arrays)  # in its place: another form
    (changed,) = zoohub.predict(model, picture, checkpoint=file)
    assert changed.engine == "onnxruntime"
    assert changed.predictions[0].index == 7
    file.unlink()
    with pytest.raises(ZoohubError, match=r"own\.ckpt"):
        zoohub.predict(model, picture, checkpoint=file)


def test_a_mode_is_mindspores(home: Path, pictures: Path) -> None:
    (found,) = zoohub.predict(NAME, pictures / "00.png", mode="pynative")
    assert found.engine == "mindspore"


@pytest.fixture
def making(home: Path) -> Any:
    """Makes a `MakingRunner` of the network, in an empty store, after something was done to it."""
    shutil.rmtree(home / "compiled")

    def make(change: Any, *, required: bool = False) -> MakingRunner:
        settings = load_settings()
        subject = find_subject(NAME, settings)
        assert subject is not None
        form = find_form(subject, settings, show_progress=False)
        net = zoohub.load(NAME, pretrained=True)
        change(net)
        cell, _ = cell_runner(net, "lenet")
        checker, _ = cell_runner(net, "lenet", "pynative")

        def whole(name: str, output: Array) -> tuple[Array, ...]:
            return (output,)

        return making_whole(cell, checker, form, whole, required=required)

    return make


def spoil(net: Any) -> None:
    parameter = next(iter(net.trainable_params()))
    parameter.set_data(parameter * float("nan"))


INPUT = {"image": np.zeros((3, 1, 32, 32), np.float32)}


def test_a_failing_check_is_said_and_mindspore_runs(
    making: Any, caplog: pytest.LogCaptureFixture, pictures: Path
) -> None:
    runner = making(spoil)
    with caplog.at_level(logging.WARNING):
        out = runner.run(INPUT)
    assert len(out["logits"]) == 3
    assert runner.engine == "mindspore"
    assert f"{NAME} runs in MindSpore, as it could not be compiled" in caplog.text
    # It is remembered: the next call does not try again.
    predictor = open_predictor(NAME, load_settings())
    assert predictor.computing == "mindspore"
    with pytest.raises(ExportError, match=f"{NAME} cannot be compiled"):
        zoohub.predict(NAME, pictures / "00.png", engine="onnxruntime")


def test_where_onnxruntime_is_asked_for_a_failing_check_is_an_error(making: Any) -> None:
    with pytest.raises(ExportError):
        making(spoil, required=True).run(INPUT)


def test_a_full_disk_leaves_mindspore_running(
    making: Any, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = making(lambda net: None)
    with files_limited_to(100_000), caplog.at_level(logging.WARNING):
        out = runner.run(INPUT)
    assert len(out["logits"]) == 3
    assert runner.engine == "mindspore"
    assert "No space left" in caplog.text
    settings = load_settings()
    subject = find_subject(NAME, settings)
    assert subject is not None
    assert find_form(subject, settings, show_progress=False).record is None  # tried again then


class Shifted:
    """A runner whose outputs are off by a little."""

    inputs = ("image",)

    def __init__(self, by: float) -> None:
        self.by = by

    def run(self, inputs: Any) -> dict[str, Array]:
        return {"logits": inputs["image"].sum(axis=(1, 2, 3), keepdims=False)[:, None] + self.by}


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize(("by", "same"), [(0.0, True), (1e-6, True), (1.0, False)])
def test_what_differs_by_more_than_rounding_does_not_pass(
    by: float, same: bool, by_row: bool
) -> None:
    inputs = {"image": np.random.default_rng(0).random((2, 1, 8, 8), np.float32)}

    def check() -> None:
        check_form(Shifted(by), Shifted(0), inputs, lambda name, output: (output,), by_row=by_row)

    if same:
        check()
    else:
        with pytest.raises(ExportError, match="its logits differs from MindSpore's by"):
            check()


def test_a_form_that_is_right_for_few_rows_alone_does_not_pass() -> None:
    class Few(Shifted):
        def run(self, inputs: Any) -> dict[str, Array]:
            found = super().run(inputs)["logits"]
            return {"logits": found + (len(found) > 2)}

    inputs = {"image": np.random.default_rng(0).random((2, 1, 8, 8), np.float32)}
    with pytest.raises(ExportError, match="its logits differs from MindSpore's by"):
        check_form(Few(0), Shifted(0), inputs, lambda name, output: (output,), by_row=True)


def test_a_network_that_gives_no_numbers_is_told_from_a_form_that_differs() -> None:
    inputs = {"image": np.ones((2, 1, 8, 8), np.float32)}
    with pytest.raises(ExportError, match="its logits has values that are not finite"):
        check_form(Shifted(0), Shifted(np.nan), inputs, lambda name, output: (output,))


def test_weights_changed_in_a_runs_folder_are_never_served_stale(home: Path) -> None:
    store, settings = Store(home), load_settings()
    subject = find_subject(NAME, settings)
    assert subject is not None
    run_file = home / "run" / "weights.ckpt"
    run_file.parent.mkdir()
    run_file.write_bytes(b"some weights")
    import dataclasses

    run = dataclasses.replace(subject, run=run_file)
    first = find_form(run, settings, show_progress=False)
    run_file.write_bytes(b"same weights")  # of the same size, at the same time
    assert find_form(run, settings, show_progress=False).key != first.key
    known = find_form(subject, settings, show_progress=False)
    assert known.record == read_compiled(store, known.key)
    assert known.record is not None
    assert form_path(store, known.record) is not None
