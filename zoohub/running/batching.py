"""Batches of any length through networks that take one length: filled up, and cut again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from zoohub.running.runner import Array, Outputs

Once = Callable[[tuple[Array, ...]], Outputs]


def in_batches(run: Once, inputs: Sequence[Array], batch: int | None) -> Outputs:
    """Run a network of fixed batch on as many rows as there are; None takes any number."""
    length = rows(inputs)
    if batch is None or length == batch:
        return run(tuple(inputs))
    parts = []
    for start in range(0, length, batch):
        part = [array[start : start + batch] for array in inputs]
        wanted = rows(part)
        found = run(fill(part, batch))
        parts.append({name: cut(array, batch, wanted) for name, array in found.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def whole_table(run: Once, inputs: Sequence[Array], batch: int, name: str) -> Outputs:
    """A table of all rows' findings, (n, k), whose first column is the row's index.

    `name` is the output that is this table.
    """
    tables = []
    for start in range(0, rows(inputs), batch):
        part = [array[start : start + batch] for array in inputs]
        table = run(fill(part, batch))[name]
        table = table[table[:, 0] < rows(part)]  # without the copies that fill the last batch
        table[:, 0] += start
        tables.append(table)
    return {name: np.concatenate(tables)}


def rows(inputs: Sequence[Array]) -> int:
    """How many rows a batch has."""
    return next((len(array) for array in inputs if array.ndim), 1)


def fill(inputs: Sequence[Array], length: int) -> tuple[Array, ...]:
    """The batch filled up to `length` rows by repeating its last."""
    missing = length - rows(inputs)
    if not missing:
        return tuple(inputs)
    return tuple(
        np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if array.ndim else array
        for array in inputs
    )


def cut(output: Array, filled: int, wanted: int) -> Array:
    """The first rows of an output that has the batch as its first axis."""
    return output[:wanted] if output.ndim and len(output) == filled else output


def plain(array: Array) -> Array:
    """Floats as float32, everything else as it is."""
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array
