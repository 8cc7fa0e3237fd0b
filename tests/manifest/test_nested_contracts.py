"""The parts of an input contract that are contracts of their own, wherever they are written."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from zoohub.graphs.metadata import Metadata
from zoohub.manifest.codec import decode_input
from zoohub.manifest.entry import NESTED_CONTRACTS, InputContract, NetworkSpec
from zoohub.manifest.family import _MERGED
from zoohub.models.runs import RunFacts, run_document
from zoohub.tasks.recipe import Input, recipe_text
from zoohub.training import parse_recipe

RECIPE = "model: lenet5\ndata: {kind: digits, train: [1, 2], validation: []}\n"
GIVEN: dict[str, dict[str, Any]] = {
    "text": {"max_length": 12},
    "regions": {"least": 0.5},
    "boxes": {"iou": 0.5, "multi_label": False, "most": 9},
    "line": {"widest": 640},
}


def test_all_of_them_are_known() -> None:
    hints = get_type_hints(InputContract)
    nested = {
        name: kind
        for name, hint in hints.items()
        for kind in (hint, *get_args(hint))
        if dataclasses.is_dataclass(kind)
    }
    assert nested == dict(NESTED_CONTRACTS)
    assert nested.keys() == GIVEN.keys()
    assert set(nested) < _MERGED


@pytest.mark.parametrize("name", GIVEN)
def test_each_goes_through_an_index_a_run_and_an_exported_file(name: str) -> None:
    part = NESTED_CONTRACTS[name](**GIVEN[name])
    contract = InputContract(size=(32, 64), **{name: part})  # type: ignore[arg-type]
    assert decode_input({"size": [32, 64], name: GIVEN[name]}) == contract  # type: ignore[misc]
    said = Metadata(input=contract).to_strings()
    assert Metadata.from_strings(said).input == contract
    others = GIVEN.keys() - {name}
    assert not others & json.loads(said["zoohub.input"]).keys()
    facts = RunFacts("r", "t", None, None, NetworkSpec("lenet"), contract, (), "0" * 64, 1, "d",
                     "2.10.0", {}, ())  # fmt: skip
    written = run_document(facts)["model"]["input"]  # type: ignore[index]
    assert None not in written[name].values()
    assert not others & written.keys()
    assert getattr(decode_input(written), name) == part


@pytest.mark.parametrize("name", ["regions", "boxes", "line"])
def test_a_recipe_says_what_is_known_of_them(name: str) -> None:
    part = NESTED_CONTRACTS[name](**GIVEN[name])
    recipe = dataclasses.replace(parse_recipe(RECIPE), input=Input((32, 64), **{name: part}))  # type: ignore[arg-type]
    text = recipe_text(recipe)
    assert parse_recipe(text) == recipe
    written = yaml.safe_load(text)["input"]
    assert None not in written[name].values()
    assert not (GIVEN.keys() - {name}) & written.keys()
