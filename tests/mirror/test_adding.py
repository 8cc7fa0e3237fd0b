"""A fine-tuned model reaches colleagues through a mirror, and only as what it is."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoohub.cli.main import main
from zoohub.errors import IntegrityError, MirrorError
from zoohub.manifest.opening import open_index
from zoohub.mirror.adding import Contribution, add
from zoohub.mirror.publish import Publisher
from zoohub.mirror.verify import verify
from zoohub.models.runs import open_run
from zoohub.settings import Settings
from zoohub.transfer import fetch


def run_folder(folder: Path, data: bytes = b"\x0a\x10trained") -> Path:
    """A run's folder as `zoohub finetune` leaves it, as far as adding reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.ckpt").write_bytes(data)
    checkpoint = {
        "id": "run",
        "format": "ckpt",
        "sources": [],
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "dataset": "flowers",
        "metrics": {"top1": 97.5},
        "licence": "Apache-2.0",
    }
    model = {
        "model": "flowers",
        "family": "resnet",
        "task": "image-classification",
        "default": "run",
        "network": {"builder": "resnet", "arguments": {"num_classes": 2}},
        "checkpoints": [checkpoint],
    }
    content = {
        "schema": 1,
        "model": model,
        "classes": ["rose", "tulip"],
        "metrics": {"top1": 0.975},
    }
    (folder / "run.json").write_text(json.dumps(content))
    return folder


def contribution(folder: Path) -> Contribution:
    run = open_run(folder)
    document = json.loads((folder / "run.json").read_text())["model"]
    return Contribution(document, run.weights, run.classes)


def test_a_colleague_finds_and_downloads_an_added_run(
    mirror: Any, serve: Any, another_home: Settings, tmp_path: Path
) -> None:
    from zoohub.manifest.remote import update_index

    run = run_folder(tmp_path / "runs" / "flowers")

    reference = add(contribution(run), mirror.target, mirror.settings, Publisher())

    server, _ = serve(mirror.root)
    url = f"{server.url}/index.jsonl.gz"
    colleague = replace(another_home, mirrors=(server.url,), indexes=(url,))
    update_index(url, colleague)
    resolved = open_index(colleague).resolve("flowers")
    assert resolved.checkpoint is not None
    assert resolved.checkpoint.reference == reference
    assert resolved.checkpoint.metrics == {"top1": 97.5}
    assert resolved.entry.description == "Tells apart: rose, tulip"
    assert resolved.checkpoint.class_names == ("rose", "tulip")
    assert fetch(resolved.checkpoint, colleague).read_bytes() == b"\x0a\x10trained"
    assert verify(mirror.target, mirror.settings).is_sound
    assert "flowers@" in (mirror.root / "LICENCES.txt").read_text()


def test_training_again_adds_a_checkpoint_and_keeps_the_old_one(
    mirror: Any, tmp_path: Path
) -> None:
    first = add(
        contribution(run_folder(tmp_path / "a")), mirror.target, mirror.settings, Publisher()
    )
    better = contribution(run_folder(tmp_path / "b", b"\x0a\x10trained longer"))
    second = add(better, mirror.target, mirror.settings, Publisher())
    again = add(better, mirror.target, mirror.settings, Publisher())

    from zoohub.mirror.state import read_documents

    document = read_documents(mirror.target)["flowers"]
    ids = [checkpoint["id"] for checkpoint in document["checkpoints"]]
    assert first != second == again
    assert [f"flowers@{id}" for id in ids] == [first, second]
    assert document["default"] == ids[1]
    assert verify(mirror.target, mirror.settings).good == 6


def test_an_added_run_survives_a_later_sync(mirror: Any, tmp_path: Path) -> None:
    add(contribution(run_folder(tmp_path / "a")), mirror.target, mirror.settings, Publisher())
    mirror.zoo.add("net_a")

    mirror.sync()

    assert "zoohub.invalid/flowers/own-" in (mirror.root / "manifest.json").read_text()
    assert verify(mirror.target, mirror.settings).is_sound


def test_a_published_models_name_is_not_taken_over(mirror: Any, tmp_path: Path) -> None:
    mirror.zoo.add("flowers")
    mirror.sync()

    mine = contribution(run_folder(tmp_path / "a"))
    with pytest.raises(MirrorError, match="--name"):
        add(mine, mirror.target, mirror.settings, Publisher())
    assert add(mine, mirror.target, mirror.settings, Publisher(), name="our_flowers").startswith(
        "our_flowers@own-"
    )


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\0b", "x" * 300])
def test_a_name_that_is_no_name_is_refused(mirror: Any, tmp_path: Path, name: str) -> None:
    mine = contribution(run_folder(tmp_path / "a"))
    with pytest.raises(MirrorError, match="cannot be called so"):
        add(
            replace(mine, model={**mine.model, "model": name}),
            mirror.target,
            mirror.settings,
            Publisher(),
        )
    assert not mirror.root.exists()


def test_weights_changed_since_the_run_are_not_published(mirror: Any, tmp_path: Path) -> None:
    mine = contribution(run_folder(tmp_path / "a"))
    mine.file.write_bytes(b"\x0a\x10tamperd")

    with pytest.raises(IntegrityError, match="nothing was published"):
        add(mine, mirror.target, mirror.settings, Publisher())
    assert not mirror.root.exists()


def test_the_command_adds_a_run_and_a_model_by_name(
    zoo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "runs" / "flowers")
    root = tmp_path / "mirror"

    assert main(["mirror", "add", str(run), str(root), "--licence", "MIT"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("flowers@own-")
    assert "ZOOHUB_INDEX" in err
    assert "licence: MIT" in (root / "LICENCES.txt").read_text()

    # A model of a private index, whose file only this machine has.
    index = tmp_path / "mine.yaml"
    file = tmp_path / "private.ckpt"
    file.write_bytes(b"\x0a\x10private")
    index.write_text(
        "family: ours\ntask: image-classification\ndefault: ours\nmodels:\n  ours:\n"
        "    default: own\n    checkpoints:\n      own:\n        format: ckpt\n"
        f"        sources: ['{file.as_uri()}']\n"
        f"        sha256: '{hashlib.sha256(file.read_bytes()).hexdigest()}'\n"
    )
    monkeypatch.setenv("ZOOHUB_INDEX", str(index))
    assert main(["mirror", "add", "ours", str(root)]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("ours@own-")
    assert main(["mirror", "verify", str(root)]) == 0


def test_class_names_that_cannot_be_shown_are_refused(mirror: Any, tmp_path: Path) -> None:
    mine = replace(contribution(run_folder(tmp_path / "a")), classes=("rose", "\x1b[31mtulip"))
    with pytest.raises(MirrorError, match="printable"):
        add(mine, mirror.target, mirror.settings, Publisher())
    assert list(mirror.root.iterdir()) == []


@pytest.mark.slow
def test_a_colleague_sees_the_class_names_of_an_added_run(serve: Any, tmp_path: Path) -> None:
    """Nothing of the run but what the mirror serves reaches the colleague's `zoohub predict`."""
    from PIL import Image

    from zoohub.manifest.entry import InputContract, NetworkSpec
    from zoohub.models.runs import RunFacts, run_document

    names = ["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    run, root, picture = tmp_path / "run", tmp_path / "mirror", tmp_path / "picture.png"
    run.mkdir()
    weights = Path(str(importlib.resources.files("zoohub") / "_data/embedded/lenet5-digits.ckpt"))
    data = weights.read_bytes()
    (run / "weights.ckpt").write_bytes(data)
    digits = open_index(Settings(home=tmp_path)).resolve("lenet5@digits").checkpoint
    assert isinstance(digits.network, NetworkSpec)
    assert isinstance(digits.input, InputContract)
    facts = RunFacts(
        name="our_digits",
        task="image-classification",
        entry=None,
        start=digits,
        spec=digits.network,
        contract=digits.input,
        classes=tuple(names),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        dataset="digits",
        mindspore="2.7.1",
        metrics={"top1": 0.97},
        published=("top1",),
    )
    document = run_document(facts)
    (run / "run.json").write_text(json.dumps(document))
    assert main(["mirror", "add", str(run), str(root)]) == 0
    Image.linear_gradient("L").save(picture)

    server, requests = serve(root)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZOOHUB_")},
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ZOOHUB_HOME": str(tmp_path / "colleague"),
        "ZOOHUB_MIRROR": server.url,
        "ZOOHUB_INDEX": f"{server.url}/index.jsonl.gz",
    }
    code = "from zoohub.cli.main import entry_point; entry_point()"

    def zoohub(*arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    zoohub("index", "update")
    [answer] = json.loads(zoohub("predict", "our_digits", str(picture), "--json"))
    assert len(answer["predictions"]) == 5
    assert all(names[label["index"]] == label["label"] for label in answer["predictions"])
    assert any("/zoohub.invalid/our_digits/own-" in request for request in requests)
