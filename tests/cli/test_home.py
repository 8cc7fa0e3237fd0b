"""`~` is the home folder wherever a path can be given, on the command line and from Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.cli.main import main
from zoohub.errors import ZoohubError

INDEX = """family: homely
task: image-classification
models:
  homely:
    default: own
    checkpoints:
      own: {publisher: tests, format: ckpt, sources: ['https://example.org/homely.ckpt']}
"""
RECIPE = """model: lenet5
checkpoint: ~/x.ckpt
data: {kind: folder, path: ~/data}
epochs: 1
batch_size: 4
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a checkpoint, pictures, data, an index and a recipe; elsewhere an empty
    working folder, in which nothing must appear."""
    cached = zoohub.download("lenet5@digits")
    home, work = tmp_path / "home", tmp_path / "work"
    (home / "index" / "image-classification").mkdir(parents=True)
    (home / "index" / "image-classification" / "homely.yaml").write_text(INDEX)
    (home / "recipe.yaml").write_text(RECIPE)
    (home / "x.ckpt").write_bytes(cached.read_bytes())
    for label in ("0", "1"):
        (home / "data" / label).mkdir(parents=True)
        for number in range(5):
            image = np.full((32, 32), 40 * number + int(label), np.uint8)
            Image.fromarray(image).save(home / "data" / label / f"{number}.png")
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


def run(*arguments: str) -> None:
    assert main([*arguments]) == 0, arguments
    assert os.listdir() == [], arguments  # noqa: PTH208 - the working folder


@pytest.mark.slow
def test_commands_that_need_no_tensor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("inspect", "~/x.ckpt")
    run("convert", "~/x.ckpt", "--to", "safetensors", "--output=~/y.safetensors")
    run("download", "lenet5@digits", "--output", "~/weights")
    run("lock", "lenet5@digits", "-o", "~/z.lock")
    run("index", "check", "~/index")
    run("index", "build", "~/index", "-o", "~/i.jsonl.gz")
    run("index", "diff", "~/i.jsonl.gz", "~/index")
    run("mirror", "keygen", "~/zoo.key")
    run("mirror", "sync", "~/mirror", "lenet5@digits", "--sign", "~/zoo.key")
    run("mirror", "verify", "~/mirror")
    run("mirror", "prune", "~/mirror", "--dry-run")
    run("demo", "--pictures", "~/pictures")
    for variable, path, command in (
        ("ZOOHUB_LOCK", "~/z.lock", ("download", "lenet5@digits")),
        (
            "ZOOHUB_INDEX",
            "~/own",
            ("index", "add", "~/x.ckpt", "--name", "mine", "--like", "lenet5"),
        ),
        ("ZOOHUB_INDEX", "~/i.jsonl.gz", ("info", "homely")),
        ("ZOOHUB_MIRROR", "~/mirror", ("download", "lenet5@digits")),
        ("ZOOHUB_HOME", "~/cache", ("download", "lenet5@digits")),
    ):
        with monkeypatch.context() as setting:
            setting.setenv(variable, path)
            run(*command)
    for made in ("y.safetensors", "weights", "z.lock", "i.jsonl.gz", "zoo.key", "mirror", "own",
                 "pictures", "cache"):  # fmt: skip
        assert (home / made).exists(), made


@pytest.mark.slow
def test_commands_that_compute(home: Path) -> None:
    pytest.importorskip("onnxruntime")
    run("predict", "lenet5@digits", "~/data/0/1.png", "~/data/1/*.png", "--csv", "~/found.csv")
    run("predict", "lenet5", "~/data/0", "--checkpoint", "~/x.ckpt", "--jsonl", "~/found.jsonl")
    run("predict", "yolov5n@digits", "~/data/0/1.png", "--save", "~/drawn.png")
    run("eval", "lenet5@digits", "--data", "~/data")
    run("export", "lenet5", "--checkpoint", "~/x.ckpt", "--output", "~/a.onnx")
    run("eval", "~/a.onnx", "--data", "~/data")
    run("finetune", "~/recipe.yaml", "--output", "~/run")
    run("finetune", "lenet5", "--checkpoint", "~/x.ckpt", "--data", "~/data", "--epochs", "1",
        "--output", "~/second")  # fmt: skip
    run("finetune", "~/run", "--resume")
    run("predict", "~/run", "~/data/0/1.png")
    run("mirror", "add", "~/run", "~/mirror", "--licence", "Apache-2.0")
    for made in ("found.csv", "found.jsonl", "drawn.png", "a.onnx", "run", "second", "mirror"):
        assert (home / made).exists(), made


@pytest.mark.slow
def test_python_functions(home: Path) -> None:
    net = zoohub.load("lenet5", checkpoint="~/x.ckpt")
    assert len(zoohub.load_weights("~/x.ckpt")) == len(zoohub.load_weights(Path("~/x.ckpt")))
    assert zoohub.transforms("lenet5@digits")("~/data/0/1.png").shape == (1, 32, 32)
    pictures = ["~/data/0/1.png", Path("~/data/0/2.png")]
    assert all(found.error is None for found in zoohub.predict(net, pictures))
    assert zoohub.predict("yolov5n@digits", pictures, save="~/drawn")
    assert len(list((home / "drawn").iterdir())) == 2
    assert zoohub.evaluate(net, "~/data")["count"] == 10
    assert zoohub.export(net, "~/b.onnx") == home / "b.onnx"
    done = zoohub.finetune("lenet5@digits", "~/data", epochs=1, output="~/run")
    assert done.path == home / "run"
    assert zoohub.load("~/run")
    assert os.listdir() == []  # noqa: PTH208


def test_a_home_folder_of_nobody_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = "~no-such-user/x"
    for command in (
        ("inspect", nobody),
        ("predict", "lenet5@digits", nobody),
        ("eval", "lenet5@digits", "--data", nobody),
        ("finetune", "lenet5@digits", "--data", nobody),
        ("finetune", nobody, "--resume"),
        ("index", "diff", nobody),
        ("mirror", "sync", nobody, "lenet5@digits"),
        ("mirror", "verify", nobody),
        ("demo", "--pictures", nobody),
    ):
        assert main([*command]) != 0, command
        assert capsys.readouterr().err.count("no-such-user") >= 1, command
    monkeypatch.setenv("ZOOHUB_INDEX", "~/own")
    assert main(["index", "add", nobody, "--name", "x"]) != 0
    assert "no-such-user" in capsys.readouterr().err
    for variable in ("ZOOHUB_HOME", "ZOOHUB_LOCK", "ZOOHUB_INDEX"):
        with monkeypatch.context() as setting:
            setting.setenv(variable, nobody)
            assert main(["list"]) != 0, variable
    calls: tuple[Callable[[], object], ...] = (
        lambda: zoohub.load_weights(nobody),
        lambda: zoohub.load("lenet5", checkpoint=nobody),
        lambda: zoohub.predict("lenet5@digits", nobody),
        lambda: zoohub.evaluate("lenet5@digits", nobody),
    )
    for call in calls:
        with pytest.raises(ZoohubError, match="no-such-user"):
            call()
    assert os.listdir() == []  # noqa: PTH208
