"""`--checkpoint` on every command that loads a network, and paths with a tilde."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import zoohub as library
from tests.cli.program import zoohub
from zoohub.checkpoint import load_weights, write_ckpt


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder has weights of LeNet-5 that say "3" of everything, and a picture; one works
    in another folder."""
    home, work = tmp_path / "me", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    arrays = dict(load_weights(library.download("lenet5@digits", progress=False)))
    arrays = {name: array * 0 for name, array in arrays.items()}
    arrays["fc3.bias"] = arrays["fc3.bias"].copy()
    arrays["fc3.bias"][3] = 9
    write_ckpt(home / "my.ckpt", arrays)
    Image.new("L", (32, 32)).save(home / "x.png")
    for label in "37":
        (home / "data" / label).mkdir(parents=True)
        for number in range(4):
            shutil.copyfile(home / "x.png", home / "data" / label / f"{number}.png")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return home


@pytest.mark.slow
def test_every_command_takes_a_file_of_ones_own(home: Path) -> None:
    predicted = zoohub("predict", "lenet5@digits", "~/x.png", "--checkpoint", "~/my.ckpt")
    assert predicted.returncode == 0, predicted.stderr
    assert "99.9%  3" in predicted.stdout  # softmax of 9 and nine zeros
    measured = zoohub(
        "eval", "lenet5@digits", "--data", "~/data", "--checkpoint=~/my.ckpt", "--json"
    )
    assert '"top1": 0.5' in measured.stdout, measured.stderr
    exported = zoohub(
        "export", "lenet5@digits", "--checkpoint", "~/my.ckpt", "--output=~/x.safetensors"
    )
    assert exported.returncode == 0, exported.stderr
    assert load_weights(home / "x.safetensors")
    trained = zoohub(
        *("finetune", "lenet5@digits", "--data", "~/data", "--checkpoint", "~/my.ckpt"),
        *("--epochs", "1", "--output=~/run"),
    )
    assert trained.returncode == 0, trained.stderr
    assert "my.ckpt" in (home / "run" / "recipe.yaml").read_text()
    assert not Path("~").exists()


@pytest.mark.slow
def test_python_takes_it_by_the_same_name_and_the_same_paths(home: Path) -> None:
    def best(**given: object) -> str:
        return library.predict("lenet5@digits", "~/x.png", top=1, **given)[0].predictions[0].label

    for path in ("~/my.ckpt", Path("~/my.ckpt"), home / "my.ckpt", "../me/my.ckpt"):
        assert best(checkpoint=path) == "3"
        assert library.evaluate("lenet5@digits", "~/data", checkpoint=path)["top1"] == 0.5
    assert best(checkpoint=(home / "my.ckpt").read_bytes()) == "3"
    done = library.export("lenet5@digits", "~/y.ckpt", checkpoint="~/my.ckpt")
    assert done == home / "y.ckpt"
    assert not Path("~").exists()


@pytest.mark.parametrize("command", ["predict", "eval", "export", "finetune"])
def test_help_names_the_options(command: str) -> None:
    told = zoohub(command, "--help").stdout
    assert "--checkpoint FILE" in told
    assert "--force" in told


def test_info_sends_a_file_to_inspect_and_takes_a_run(home: Path) -> None:
    done = zoohub("info", "~/my.ckpt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "zoohub inspect" in done.stderr


def _zip(member: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, "words")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.zip", _zip("readme.txt"), "zip archive that PyTorch did not write"),
        ("a.tar", b"x" * 257 + b"ustar\x00" + b"\x00" * 249, "tar archive: unpack it"),
        ("index.json", b'{"weights": {"a": 1, "b": 2, "c": 3}}', "JSON"),
        ("page.ckpt", b"<!DOCTYPE html><html>404 not found</html>", "HTML page"),
        ("x.onnx", b"\x08\x07\x12\x06zoohub" + b"\x00" * 40, "ONNX graph, for inference"),
        ("x.mindir", b"\n\x030.1\x12\x09MindSpore" + b"\x00" * 40, "MINDIR graph, for inference"),
        ("x.pdparams", b"\x80\x04\x95" + b"\x00" * 40, "pickle"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_called_what_it_is(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    done = zoohub("inspect", str(tmp_path / name))
    assert done.returncode != 0
    assert said in done.stderr
    assert "damaged" not in done.stderr
    assert done.stderr.count("\n") == 1
