"""Parameter names, order, shapes, types and trainability."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import CASES, Case, network_table, published_tables
from weights_rule import digest_of

DIGESTS = json.loads(
    (Path(__file__).parent.parent / "data" / "networks" / "table_digests.json").read_text()
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_a_network_has_the_parameters_of_its_recorded_table(case: Case) -> None:
    assert digest_of(json.loads(network_table(case.key))) == DIGESTS[case.key]


def test_every_recorded_table_belongs_to_a_network() -> None:
    assert set(DIGESTS) == {case.key for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_a_network_has_the_parameters_of_the_published_table(case: Case, shared: Path) -> None:
    published = published_tables(shared / "oracle" / "params", case.source)[case.model]
    expected = [[case.rename(name), *rest] for name, *rest in published]
    assert json.loads(network_table(case.key)) == expected
