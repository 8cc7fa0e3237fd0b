"""Parameter names, order, shapes, types and trainability."""

from __future__ import annotations

from pathlib import Path

import pytest
from by_index import problems_of
from cases import (
    CASES,
    QUICK,
    WITH_TABLE,
    Case,
    expected_table,
    published_tables,
    table_without_values,
)
from weights_rule import digest_of

from zoohub.manifest.opening import open_index
from zoohub.networks.families import family_names
from zoohub.settings import load_settings

TABLES = [
    pytest.param(case, id=case.id, marks=() if case.family in QUICK else pytest.mark.slow)
    for case in CASES
]


@pytest.mark.parametrize("case", TABLES)
def test_a_network_has_the_parameters_of_its_recorded_table(case: Case) -> None:
    assert digest_of(table_without_values(case)) == case.digest


def test_a_family_without_a_recorded_table_is_held_to_the_index() -> None:
    recorded = {case.family for case in CASES}
    assert recorded <= set(family_names())
    index = open_index(load_settings())
    for family in set(family_names()) - recorded:
        assert list(problems_of(index, family)) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", WITH_TABLE, ids=[case.id for case in WITH_TABLE])
def test_a_recorded_table_is_the_published_one(case: Case, shared: Path) -> None:
    published = published_tables(shared / "oracle" / "params", case.source)[case.table]
    assert digest_of(expected_table(case, published)) == case.digest
