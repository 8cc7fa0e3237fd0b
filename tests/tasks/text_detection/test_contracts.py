"""What a checkpoint says of its outlines travels with it: index, recipe, run, exported file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import zoohub
from zoohub.errors import DataError
from zoohub.exporting.shapes import exported_contract, plan_shape
from zoohub.graphs.metadata import Metadata
from zoohub.manifest.entry import InputContract, NetworkSpec, RegionContract
from zoohub.manifest.schema import check_model
from zoohub.manifest.values import SchemaError
from zoohub.models.runs import RunFacts, run_document
from zoohub.networks.families import find_family
from zoohub.outputs.text_areas import TextCurves, TextKernels, TextProbability, TurnedBoxes
from zoohub.tasks.recipe import Input, recipe_text
from zoohub.tasks.text_detection.recipe import TextDetectionRecipe, TextsData
from zoohub.training import parse_recipe
from zoohub.training.recipe_input import contract_of

POLYGONS = RegionContract("polygon", binary=0.3, least=0.6)
OPEN = InputContract(size=(736, 736), resize="at_least", interpolation="bilinear", regions=POLYGONS)


def regions_of(name: str) -> RegionContract | None:
    entry = zoohub.info(name)
    checkpoint = entry.checkpoint(name.partition("@")[2] or None)
    assert checkpoint is not None
    assert checkpoint.input is not None
    return checkpoint.input.regions


def test_the_index_says_how_each_checkpoint_sees_text() -> None:
    assert regions_of("psenet_resnet152_ctw1500") == POLYGONS
    assert regions_of("dbnet_resnet18_totaltext") == RegionContract("polygon", least=0.7)
    assert regions_of("dbnet_resnet50@mindocr-910v2") == RegionContract(least=0.7)
    assert regions_of("dbnet_resnet50") is None


def test_every_detector_of_mindocr_that_runs_knows_its_input() -> None:
    names = zoohub.list_models(task="scene-text-detection", runnable=True)
    unknown = {
        name
        for name in names
        for checkpoint in zoohub.info(name).checkpoints
        if checkpoint.network is not None
        and checkpoint.network.parameters != "models"
        and (checkpoint.input is None or checkpoint.input.size is None)
    }
    assert len(names) > 20
    assert unknown == set()


@pytest.mark.parametrize(
    ("regions", "said"),
    [({"outline": "circle"}, "outline"), ({"least": "high"}, "least"), ({"colour": 1}, "colour")],
)
def test_regions_that_are_none_are_refused(regions: dict[str, object], said: str) -> None:
    model = {"model": "m", "family": "f", "task": "t", "input": {"regions": regions}}
    with pytest.raises(SchemaError) as caught:
        check_model(model)
    assert said in caught.value.where


def test_they_go_through_a_recipe_and_a_run() -> None:
    recipe = TextDetectionRecipe(
        task="scene-text-detection",
        model="m",
        data=TextsData("texts", "pages"),
        input=Input((736, 736), resize="at_least", regions=POLYGONS),
    )
    text = recipe_text(recipe)
    assert parse_recipe(text) == recipe
    assert "expand" not in text
    assert recipe.input is not None
    contract = contract_of(recipe.input)
    assert contract.regions == POLYGONS
    plain = recipe_text(replace(recipe, input=Input((736, 736))))
    assert "regions" not in plain
    facts = RunFacts("r", "scene-text-detection", None, None, NetworkSpec("dbnet"), contract, (),
                     "0" * 64, 1, "pages", "2.10.0", {}, ())  # fmt: skip
    document = json.loads(json.dumps(run_document(facts)))
    assert document["model"]["input"]["regions"] == {
        "outline": "polygon", "binary": 0.3, "least": 0.6,
    }  # fmt: skip


def test_they_go_into_an_exported_file() -> None:
    said = Metadata(model="m", input=OPEN).to_strings()
    assert Metadata.from_strings(said).input == OPEN
    plain = Metadata(input=replace(OPEN, regions=None)).to_strings()
    assert "regions" not in plain["zoohub.input"]


def test_a_file_of_one_size_takes_pictures_fitted_into_it() -> None:
    fixed = exported_contract(OPEN, plan_shape(OPEN, channels=3, size=(640, 960)))
    assert (fixed.resize, fixed.size, fixed.regions) == ("pad", (640, 960), POLYGONS)
    free = plan_shape(OPEN, channels=3, size=(640, 960), dynamic=("height", "width"))
    assert exported_contract(OPEN, free) == OPEN
    stretched = replace(OPEN, resize="stretch")
    kept = exported_contract(stretched, plan_shape(stretched, channels=3, size=(64, 96)))
    assert (kept.resize, kept.size) == ("stretch", (64, 96))


def test_families_bring_their_outputs_into_forms() -> None:
    one = np.zeros((2, 1, 8, 8), np.float32)
    boxes, kernels = np.zeros((2, 5, 8, 8), np.float32), np.zeros((2, 7, 8, 8), np.float32)
    curves = [np.zeros((2, 26, 8 // n, 8 // n), np.float32) for n in (1, 2, 4)]
    size = (32, 32)
    read = {
        name: find_family(name).read_outputs() for name in ("dbnet", "psenet", "east", "fcenet")
    }
    assert isinstance(read["dbnet"]({"probability": one}, size), TextProbability)
    assert isinstance(read["psenet"]({"maps_0": kernels}, size), TextKernels)
    assert isinstance(read["east"]({"scores": one, "boxes": boxes}, size), TurnedBoxes)
    form = read["fcenet"]({f"map_{n}": level for n, level in enumerate(curves)}, size)
    assert isinstance(form, TextCurves)
    assert len(form) == 2
    wrong = {
        "dbnet": {"probability": kernels},
        "psenet": {"maps_0": one, "maps_1": kernels},
        "east": {"scores": one},
        "fcenet": {"map_0": boxes},
    }
    for name, raw in wrong.items():
        with pytest.raises(DataError, match="expected"):
            read[name](raw, size)
