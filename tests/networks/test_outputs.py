"""Outputs for weights that follow from the parameters' names, against references."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import QUICK, WITH_OUTPUT, Case
from classifiers import in_gate
from references import MODES, Reference, compare, mode_set, output_of

SMALLEST = {case.family: case for case in reversed(WITH_OUTPUT)}
APART = [pytest.mark.slow, pytest.mark.every]
SAMPLES = [
    pytest.param(case, id=case.id, marks=() if case.family in QUICK else APART)
    for case in SMALLEST.values()
]


@pytest.mark.parametrize("case", SAMPLES)
def test_a_network_computes_its_recorded_sample(case: Case) -> None:
    assert case.sample is not None
    tensors = output_of(case, case.sample["gain"], case.sample["names"])
    for got, wanted in zip(tensors, case.sample["tensors"], strict=False):
        difference, allowed = compare(got, wanted, case.unsure_rows)
        assert difference <= allowed


def _references() -> list[object]:
    """One of each family is slow, both modes of the quick ones; the rest is outside the gate. In
    graph mode, but for the families whose graph `test_exported.py` compiles."""
    first = {case.id for case in SMALLEST.values()}
    exported = {one.case.family for one in in_gate()}
    return [
        pytest.param(
            case,
            mode,
            id=f"{case.id}-{mode}",
            marks=pytest.mark.slow
            if case.id in first
            and (
                case.family in QUICK or mode == ("pynative" if case.family in exported else "graph")
            )
            else APART,
        )
        for case in WITH_OUTPUT
        for mode in MODES
    ]


@pytest.mark.parametrize(("case", "mode"), _references())
def test_a_network_computes_the_published_reference(case: Case, mode: str, shared: Path) -> None:
    reference = Reference(case, shared / "oracle")
    with mode_set(mode):
        tensors = output_of(case, reference.gain, reference.names)
    assert len(tensors) >= len(reference.tensors)
    for difference, allowed in reference.differences(tensors):
        assert difference <= allowed
