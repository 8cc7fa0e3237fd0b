"""Every network that a parameter table or a reference output exists for, read from
`tests/data/networks/<family>.json`, which `record.py` writes."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from weights_rule import Table, table_of

from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import find_family

DATA = Path(__file__).parent.parent / "data" / "networks"
# Families whose networks are built in seconds: their tables are checked by the quick tests too.
QUICK = ("lenet", "mobilenet_v2", "yolov5")


@dataclass(frozen=True)
class Case:
    """`source` and `model` name the table; `layout` turns its names into the network's.

    `input` are expressions of `rng`, a generator seeded with 1, drawn in order: floating numbers
    are given to the network as float32, whole ones as int32. Empty: there is no reference output.
    `outputs` are the reference's outputs among the network's, flattened: their places, or their
    names in `Family.raw`; None: they are the first ones. What the reference gives beyond them is
    not compared. `sample` is what `record.py` remembers of
    the reference.

    `reduced` are arguments that the reference was made with where the table's differ (a smaller
    vocabulary). `named_by` is the model in whose table's names a reference's weights were drawn
    that has no table, and `without` what they begin with there and did not when the weights were
    drawn; `tabled` is False where no table was published, so that the network's own
    names count. `unordered`: the publisher registers the same parameters in another order.
    `compared` is False where upstream's own reference is wrong, and a `_peer` is right.
    `constants` are expressions of values that parameters have, by name: what is frozen is not
    drawn, but for the parameters whose whole name `drawn`, an expression, matches. `unsure_rows`
    are rows of the outputs (all axes but the last) that are padding only, and not compared: pairs
    of the first and the one after the last. `across_kernels` is what the outputs differ by, in
    their standard deviations, between oneDNN's kernels for SSE4.1 and for AVX2 (measured here),
    where the reference does not say what they differ by between MindSpore's versions.
    """

    source: str
    model: str
    family: str
    arguments: dict[str, Any] = field(default_factory=dict)
    layout: str | None = None
    input: tuple[str, ...] = ()
    outputs: tuple[int | str, ...] | None = None
    reduced: dict[str, Any] = field(default_factory=dict)
    named_by: str | None = None
    without: str = ""
    tabled: bool = True
    unordered: bool = False
    compared: bool = True
    constants: dict[str, str] = field(default_factory=dict)
    drawn: str = ""
    unsure_rows: tuple[tuple[int, int], ...] = ()
    across_kernels: float = 0.0
    digest: str | None = None
    sample: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        return f"{self.source}/{self.model}"

    @property
    def id(self) -> str:
        return f"{self.family}:{self.key}"

    @property
    def table(self) -> str:
        """The model whose published table it is."""
        return self.named_by or self.model

    def build(self) -> Any:
        return find_family(self.family).load()(**self.arguments)

    def build_reduced(self) -> Any:
        """The network that the reference is of, constants set, what is drawn not frozen, and no
        values where `fill_by_rule` gives them."""
        from mindspore import Tensor

        from zoohub.networks.loading import build

        net = build(NetworkSpec(self.family, {**self.arguments, **self.reduced}), initialise=False)
        parameters = {parameter.name: parameter for parameter in net.get_parameters()}
        for name, expression in self.constants.items():
            value = np.asarray(eval(expression, {"np": np}), np.float32)
            parameters[name].set_data(Tensor(value))
        for name, parameter in parameters.items():
            if re.fullmatch(self.drawn, name):
                parameter.requires_grad = True
        return net

    def places(self) -> list[int] | None:
        """`outputs` as places."""
        raw = find_family(self.family).raw
        if self.outputs is None:
            return None
        return [raw.index(one) if isinstance(one, str) else one for one in self.outputs]

    def inputs(self, seed: int = 1) -> list[np.ndarray]:
        """The reference's inputs; a later one may name an earlier one as `x0`, `x1`, …"""
        rng = np.random.default_rng(seed)
        known: dict[str, Any] = {"rng": rng, "np": np}
        arrays = []
        for place, expression in enumerate(self.input):
            array = np.asarray(eval(expression, known))
            known[f"x{place}"] = array
            arrays.append(array.astype(np.float32 if array.dtype.kind == "f" else np.int32))
        return arrays

    def rename(self, name: str) -> str:
        """The network's own name for a name in the table."""
        if self.layout is None:
            return name
        for pattern, replacement in find_family(self.family).layouts[self.layout].rules:
            match = re.fullmatch(pattern, name)
            if match:
                return match.expand(replacement)
        return name

    def dropped(self, name: str) -> bool:
        """Whether the layout leaves a name of the table out."""
        layout = find_family(self.family).layouts.get(self.layout or "")
        return layout is not None and any(re.fullmatch(drop, name) for drop in layout.drop)


def read_cases(file: Path) -> list[Case]:
    """The cases of one family's file."""
    content = json.loads(file.read_text())
    cases = []
    for key, row in content.items():
        source, _, model = key.partition("/")
        known = {
            "input": tuple(row.get("input", ())),
            "outputs": tuple(row["outputs"]) if "outputs" in row else None,
            "unsure_rows": tuple((first, last) for first, last in row.get("unsure_rows", ())),
        }
        cases.append(Case(source, model, file.stem, **{**row, **known}))
    return cases


CASES = [case for file in sorted(DATA.glob("*.json")) for case in read_cases(file)]
WITH_TABLE = [case for case in CASES if case.tabled]
WITH_OUTPUT = [case for case in CASES if case.sample is not None]


def case_of(id: str) -> Case:
    return next(case for case in CASES if case.id == id)


def table_without_values(case: Case) -> Table:
    from mindspore.nn.utils import no_init_parameters

    with no_init_parameters():
        table = table_of(case.build())
    return sorted(table) if case.unordered else table


def expected_table(case: Case, published: Table) -> Table:
    """The published table under the network's own names."""
    table = [[case.rename(row[0]), *row[1:]] for row in published if not case.dropped(row[0])]
    return sorted(table) if case.unordered else table


@cache
def published_tables(folder: Path, source: str) -> dict[str, Table]:
    with gzip.open(folder / f"{source}.jsonl.gz", "rt") as lines:
        return {row["model"]: row["params"] for row in map(json.loads, lines)}
