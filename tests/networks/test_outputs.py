"""Outputs for weights that follow from the parameters' names, against references."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import pytest
from cases import WITH_OUTPUT, Case, case_of, published_tables
from mindspore import Tensor
from weights_rule import fill_by_rule, flatten, nesting

SAMPLES = json.loads(
    (Path(__file__).parent.parent / "data" / "networks" / "output_samples.json").read_text()
)
MODES = {"pynative": mindspore.PYNATIVE_MODE, "graph": mindspore.GRAPH_MODE}


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=MODES[request.param])
    yield request.param
    mindspore.set_context(mode=before)


def output_of(case: Case, gain: float, names: dict[str, str]) -> Any:
    net = case.build()
    fill_by_rule(net, names, gain)
    net.set_train(False)
    return net(Tensor(case.input()))


def limit(std: float, across_versions: float, unit: float) -> float:
    """Largest difference allowed: 1e-5 of `std`, or three times what versions differ by."""
    return max(1e-5 * std, 3 * across_versions * unit)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_network_computes_its_recorded_sample(key: str) -> None:
    sample = SAMPLES[key]
    output = output_of(case_of(key), sample["gain"], sample["names"])
    assert nesting(output) == sample["shapes"]
    for got, expected in zip(flatten(output), sample["tensors"], strict=True):
        values = got.reshape(-1)[expected["index"]]
        assert np.abs(values - expected["value"]).max() <= limit(
            expected["std"], expected["across_versions"], expected["unit"]
        )


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, indirect=True)
@pytest.mark.parametrize("case", WITH_OUTPUT, ids=lambda case: case.key)
def test_a_network_computes_the_published_reference(case: Case, mode: str, shared: Path) -> None:
    golden = shared / "oracle" / "golden"
    entry = json.loads((golden / f"{case.source}.json").read_text())["models"][case.model]
    reference = np.load(golden / case.source / f"{case.model}.npz")
    table = published_tables(shared / "oracle" / "params", case.source)[case.model]
    output = output_of(case, entry["gain"], {case.rename(row[0]): row[0] for row in table})
    tensors = flatten(output)
    versions = entry.get("diff_2_10", 0.0)
    if "logits" in reference:
        logits = reference["logits"]
        std = float(logits.std())
        assert tensors[0].shape == logits.shape
        assert np.abs(tensors[0] - logits).max() <= limit(std, versions, std)
        return
    assert nesting(output if isinstance(output, tuple) else (output,)) == entry["outputs"]
    for index, got in enumerate(tensors):
        values = got.reshape(-1)
        if f"out{index}_index" in reference:
            values = values[reference[f"out{index}_index"]]
        std = float(reference[f"out{index}_mean_std"][1])
        # A detector's figures: of the decoded tensor absolute, of the raw maps relative to std.
        across, unit = 0.0, 1.0
        if isinstance(versions, list):
            across, unit = (versions[0], 1.0) if index == 0 else (versions[1], std)
        difference = np.abs(values - reference[f"out{index}_value"].reshape(-1)).max()
        assert difference <= limit(std, across, unit)
