"""CONTRIBUTING.md's "Add a family of networks", tried: one folder, one file of YAML."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import toy
from by_index import problems_of
from test_families import check_arguments, check_rules

import zoohub
from zoohub import networks
from zoohub.checkpoint import write_ckpt
from zoohub.cli.main import main
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.manifest.opening import open_index
from zoohub.networks.families import family_names, find_family
from zoohub.settings import load_settings


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The toy family is among zoohub's, and read anew by each test."""
    toy.write_family(tmp_path / "networks")
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(tmp_path / "networks")])
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index"))
    yield
    find_family.cache_clear()
    for module in [name for name in sys.modules if name.startswith("zoohub.networks.toy")]:
        del sys.modules[module]


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, np.ndarray]:
    """The toy's file of YAML is in the index; what its checkpoint holds."""
    rng = np.random.default_rng(0)
    net = find_family("toy").load()()
    own = {p.name: rng.standard_normal(p.shape, np.float32) for p in net.get_parameters()}
    file = tmp_path / "toy_small.ckpt"
    write_ckpt(file, {name.replace("classifier", "fc"): value for name, value in own.items()})
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    toy.write_index(tmp_path / "index", file.as_uri(), sha256)
    return own


def test_it_is_found_listed_and_built_by_name(
    weights: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "toy" in family_names()
    assert zoohub.list_models("toy*", runnable=True) == ["toy_large", "toy_small"]
    assert main(["list", "toy*"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]] == ["yes"] * 2
    large = zoohub.load("toy_large", num_classes=3)
    assert large.classifier.weight.shape == (3, 16)


def test_its_weights_are_loaded_under_their_publishers_names_and_it_predicts(
    weights: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    net = zoohub.load("toy", pretrained=True)
    for parameter in net.get_parameters():
        np.testing.assert_array_equal(parameter.asnumpy(), weights[parameter.name])
    other = zoohub.load("toy_small", pretrained=True, num_classes=4, in_channels=1)
    assert other.classifier.weight.shape[0] == 4
    from PIL import Image

    Image.fromarray(heldout_digits().images[0]).save(tmp_path / "a.png")
    assert main(["predict", "toy_small", str(tmp_path / "a.png"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert len(row["predictions"]) == 5


def test_the_checks_of_every_family_hold_it_too(
    weights: dict[str, np.ndarray], tmp_path: Path
) -> None:
    check_arguments("toy")
    check_rules("toy")
    assert list(problems_of(open_index(load_settings()), "toy")) == []
    assert main(["index", "check", str(tmp_path / "index")]) == 0


@pytest.mark.parametrize(
    ("file", "good", "bad", "problem"),
    [
        ("networks/toy/family.py", 'head="classifier"', 'head="fc"', "head 'fc' is no parameter"),
        ("networks/toy/family.py", 'stem="stem"', 'stem="conv1"', "stem 'conv1' is no parameter"),
        ("index/image-classification/toy.yaml", "width: 8", "depth: 8", "no argument 'depth'"),
        ("index/image-classification/toy.yaml", "parameters: own", "parameters: new", "'new'"),
        ("index/image-classification/toy.yaml", "builder: toy,", "builder: lenet,", "no model"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, file: str, good: str, bad: str, problem: str
) -> None:
    toy.write_index(tmp_path / "index", "https://toys.example/a.ckpt", "a" * 64)
    text = (tmp_path / file).read_text()
    assert good in text
    (tmp_path / file).write_text(text.replace(good, bad))
    assert problem in " ".join(problems_of(open_index(load_settings()), "toy"))
