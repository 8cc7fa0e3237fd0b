"""What a file of one's own weights says of itself goes before what the index says of its model."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint import write_ckpt, write_pth, write_safetensors
from zoohub.checkpoint.pth import PTH_MEMBER
from zoohub.cli.main import main
from zoohub.core import notes
from zoohub.errors import DataError
from zoohub.graphs.metadata import Metadata
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.manifest.entry import InputContract, NetworkSpec, TextContract
from zoohub.manifest.opening import open_index
from zoohub.models.own_files import OwnFile, index_facts, read_own_file
from zoohub.models.request import LoadRequest
from zoohub.models.subjects import find_subject, with_own_weights
from zoohub.settings import Settings
from zoohub.tasks.recipe import Recipe
from zoohub.training.starting_point import find_start

LENET = NetworkSpec("lenet", {})
OWN = InputContract(size=(28, 28), channels=1, colour="L", resize="stretch", provenance="recipe")
NAMES = tuple("abcdefghij")
ARRAYS = {"conv1.weight": np.ones((1, 1, 5, 5), np.float32)}


def exported(path: Path, **other: Any) -> Path:
    """A file of weights, as `zoohub export` describes one."""
    said = Metadata(**{"family": "lenet", "input": OWN, "classes": NAMES, **other}).to_strings()
    if path.suffix == ".safetensors":
        return write_safetensors(path, ARRAYS, metadata=said)
    write_pth(path, ARRAYS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"archive/{PTH_MEMBER}", json.dumps(said))
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
def test_an_exported_file_says_its_input_and_its_classes(name: str, tmp_path: Path) -> None:
    file = exported(tmp_path / name)
    assert read_own_file(file, LENET) == OwnFile(OWN, NAMES)
    assert read_own_file(file, None) == OwnFile(OWN, NAMES)
    assert read_own_file(file, NetworkSpec("resnet", {})) == OwnFile()


def test_other_files_say_nothing(tmp_path: Path) -> None:
    plain = write_safetensors(tmp_path / "a.safetensors", ARRAYS)
    write_ckpt(tmp_path / "a.ckpt", ARRAYS)
    for file in (None, tmp_path / "absent.ckpt", plain, tmp_path / "a.ckpt"):
        assert read_own_file(file, LENET) == OwnFile()


def test_what_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    bad = write_safetensors(tmp_path / "a.safetensors", ARRAYS, metadata={"zoohub.input": "{"})
    with pytest.raises(DataError, match=r"a\.safetensors: its zoohub metadata cannot be read"):
        read_own_file(bad, LENET)


def test_pictures_laid_out_as_the_network_takes_none_are_refused(tmp_path: Path) -> None:
    file = exported(tmp_path / "a.safetensors", input=replace(OWN, layout="NHWC"))
    with pytest.raises(DataError, match="says that pictures are NHWC, but lenet takes NCHW"):
        read_own_file(file, LENET)


def test_classes_count_where_the_network_has_as_many() -> None:
    said = OwnFile(OWN, NAMES)
    ten = NetworkSpec("lenet", {"num_classes": 10})
    assert said.fitting(LENET, None) == said.fitting(ten, None) == said.fitting(ten, 10) == said
    assert said.fitting(ten, 9) == OwnFile(OWN)
    assert said.fitting(NetworkSpec("lenet", {"num_classes": 9}), None) == OwnFile(OWN)
    assert OwnFile(OWN).fitting(ten, None) == OwnFile(OWN)


def test_a_network_made_for_one_size_is_made_for_the_files() -> None:
    known = InputContract(size=(224, 224))
    vit = NetworkSpec("vit", {"patch_size": 16})
    small = OwnFile(InputContract(size=(32, 32)))
    assert small.spec(vit, known).arguments == {"patch_size": 16, "image_size": 32}
    assert small.spec(LENET, known) == LENET
    assert OwnFile(known).spec(vit, known) == OwnFile().spec(vit, known) == vit


def test_prediction_and_training_start_from_what_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    file, settings = exported(tmp_path / "a.safetensors"), Settings(home=tmp_path / "home")
    subject = find_subject("lenet5", settings)
    assert subject is not None
    assert subject.input.size == (32, 32)
    own = with_own_weights(subject, LoadRequest(own_weights=file))
    assert (own.input, own.classes) == (OWN, NAMES)
    recipe, start = find_start(Recipe(model="lenet5", checkpoint=str(file)), settings)
    assert start.classes == NAMES
    assert start.contract == replace(OWN, interpolation="bilinear")  # pictures are cut by it
    assert recipe.input is not None
    assert recipe.input.size == (28, 28)
    assert said == ["a.safetensors brings its own input and classes, taken in place of the index's"]
    again, _ = find_start(replace(recipe, input=replace(recipe.input, size=(32, 32))), settings)
    assert again.input is not None
    assert again.input.size == (32, 32)  # the recipe has the last word


def test_an_index_takes_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index"))
    file = exported(tmp_path / "a.safetensors")
    assert main(["index", "add", str(file), "--name", "mine", "--like", "lenet5"]) == 0
    settings = Settings(home=tmp_path / "home", indexes=(str(tmp_path / "index"),))
    checkpoint = open_index(settings).resolve("mine").checkpoint
    assert checkpoint is not None
    assert (checkpoint.input, checkpoint.class_names) == (OWN, NAMES)
    assert checkpoint.network is not None
    assert checkpoint.network.builder == "lenet"


@pytest.mark.parametrize(
    ("names", "kept"), [(("a", "\u3000", "\xa0"), True), (("a", ""), False), (("\x1b[2J",), False)]
)
def test_an_index_takes_the_names_that_it_can_hold(
    names: tuple[str, ...],
    kept: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index"))
    file = exported(tmp_path / "a.safetensors", classes=names)
    assert main(["index", "add", str(file), "--name", "mine", "--like", "lenet5"]) == 0
    settings = Settings(home=tmp_path / "home", indexes=(str(tmp_path / "index"),))
    checkpoint = open_index(settings).resolve("mine").checkpoint
    assert checkpoint is not None
    assert checkpoint.class_names == (names if kept else None)
    assert ("class names in the file are left out" in capsys.readouterr().err) is not kept


def test_an_index_has_the_parts_of_a_contract_without_what_is_not_said() -> None:
    text = InputContract(text=TextContract(max_length=32, vocab_size=50))
    assert index_facts(OwnFile(text)) == {
        "input": {
            "text": {
                "max_length": 32, "vocab_size": 50, "pad_id": 0, "beam_width": 1,
                "length_penalty": 0.0, "first_position": 0,
            }
        }
    }  # fmt: skip
    assert index_facts(OwnFile()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["mindspore", "onnxruntime"])
def test_an_exported_files_weights_predict_as_before(engine: str, tmp_path: Path) -> None:
    if engine == "onnxruntime":
        pytest.importorskip("onnxruntime")
    digit = heldout_digits().images[3]
    file = zoohub.export("lenet5@digits", tmp_path / "a.pth")
    (known,) = zoohub.predict("lenet5@digits", digit, engine=engine)
    for _ in range(2):  # compiled, and from the store
        (found,) = zoohub.predict("lenet5", digit, checkpoint=file, engine=engine)
        assert found.engine == engine
        assert found.predictions[0].label == known.predictions[0].label
        assert found.predictions[0].score == pytest.approx(known.predictions[0].score, abs=1e-6)
