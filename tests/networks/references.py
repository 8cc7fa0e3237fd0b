"""Running a case on the weights that follow from names, and comparing with its reference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, published_tables
from weights_rule import fill_by_rule, flatten

MODES = ("pynative", "graph")


@contextmanager
def mode_set(mode: str) -> Iterator[None]:
    import mindspore

    names = {"pynative": mindspore.PYNATIVE_MODE, "graph": mindspore.GRAPH_MODE}
    before = mindspore.get_context("mode")
    mindspore.set_context(mode=names[mode])
    try:
        yield
    finally:
        mindspore.set_context(mode=before)


def output_of(case: Case, gain: float, names: dict[str, str]) -> list[np.ndarray]:
    """The network's tensors, flattened; `names` maps its own names to those the rule is to see."""
    from mindspore import Tensor

    net = case.build_reduced()
    fill_by_rule(net, names, gain)
    net.set_train(False)
    tensors = flatten(net(*(Tensor(array) for array in case.inputs())))
    places = case.places()
    return tensors if places is None else [tensors[place] for place in places]


def limit(std: float, across_versions: float, unit: float) -> float:
    """Largest difference allowed: 1e-5 of `std`, or three times what versions differ by."""
    return max(1e-5 * std, 3 * across_versions * unit)


class Reference:
    """A published reference output; `tensors` hold what `compare` needs of each."""

    def __init__(self, case: Case, oracle: Path) -> None:
        entry = json.loads((oracle / "golden" / f"{case.source}.json").read_text())["models"]
        self.entry = entry[case.model]
        self.gain = self.entry["gain"]
        self.names: dict[str, str] = {}
        if case.tabled:
            rows = published_tables(oracle / "params", case.source)[case.table]
            names = [row[0] for row in rows if not case.dropped(row[0])]
            self.names = {case.rename(name): name.removeprefix(case.without) for name in names}
        stored = np.load(oracle / "golden" / case.source / f"{case.model}.npz")
        self.tensors: list[dict[str, Any]] = []
        self.unsure_rows = case.unsure_rows
        versions = self.entry.get("diff_2_10") or case.across_kernels
        if "logits" in stored:
            logits = stored["logits"]
            std = float(logits.std())
            self.tensors = [_tensor(logits.shape, None, logits, std, versions, std)]
            return
        count = sum(name.endswith("_shape") for name in stored)
        for index in range(count):
            std = float(stored[f"out{index}_mean_std"][1])
            across, unit = (versions, std) if isinstance(versions, float) else (0.0, 1.0)
            if isinstance(versions, list):
                # A detector's figures: of the decoded tensor absolute, of the maps relative to std.
                across, unit = (versions[0], 1.0) if index == 0 else (versions[1], std)
            indices = stored.get(f"out{index}_index")
            values = stored[f"out{index}_value"].reshape(-1)
            shape = stored[f"out{index}_shape"]
            self.tensors.append(_tensor(shape, indices, values, std, across, unit))
        if case.outputs is not None:
            self.tensors = self.tensors[: len(case.outputs)]

    def differences(self, tensors: list[np.ndarray]) -> list[tuple[float, float]]:
        """For each of the reference's tensors: the largest difference and the limit."""
        pairs = zip(tensors, self.tensors, strict=False)
        return [compare(got, wanted, self.unsure_rows) for got, wanted in pairs]


def compare(
    got: np.ndarray, wanted: dict[str, Any], unsure_rows: Sequence[tuple[int, int]] = ()
) -> tuple[float, float]:
    """The largest difference from a tensor of a reference or sample, and the limit.

    A reference may have joined all axes but the last, rows of tokens mostly.
    """
    shapes = (list(got.shape), [int(np.prod(got.shape[:-1])), *got.shape[-1:]])
    assert list(wanted["shape"]) in shapes, f"{got.shape} != {wanted['shape']}"
    values = got.reshape(-1)
    expected = np.asarray(wanted["value"], np.float64).reshape(-1)
    places = np.arange(len(values)) if wanted["index"] is None else np.asarray(wanted["index"])
    rows = places // max(got.shape[-1:] or (1,))
    sure = np.ones(len(places), bool)
    for first, last in unsure_rows:
        sure &= (rows < first) | (rows >= last)
    assert sure.any() or not len(places)
    values, expected = values[places[sure]], expected[sure]
    difference = np.abs(values.astype(np.float64) - expected).max() if len(expected) else 0.0
    return float(difference), limit(wanted["std"], wanted["across_versions"], wanted["unit"])


def _tensor(
    shape: Any, indices: Any, values: Any, std: float, across: float, unit: float
) -> dict[str, Any]:
    return {
        "shape": [int(n) for n in shape],
        "index": None if indices is None else indices,
        "value": values,
        "std": std,
        "across_versions": across,
        "unit": unit,
    }
