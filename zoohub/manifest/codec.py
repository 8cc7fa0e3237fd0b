"""From a compiled model (plain JSON, already checked) to the dataclasses users see."""

from __future__ import annotations

import json
from typing import Any

from zoohub.manifest.compiled import CheckpointRow, InputRow, ModelRow, NetworkRow
from zoohub.manifest.declared import declared_strength
from zoohub.manifest.entry import (
    NESTED_CONTRACTS,
    Checkpoint,
    Entry,
    InputContract,
    NetworkSpec,
    Record,
)

_TUPLES = ("size", "mean", "std", "fill")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dump(value: object) -> str:
    """JSON without blanks, keys in the order given, equal input giving equal text."""
    return _ENCODER.encode(value)


def decode_network(value: NetworkRow | None) -> NetworkSpec | None:
    """The `network` object of a model or checkpoint."""
    return None if value is None else NetworkSpec(**value)


def decode_input(value: InputRow | None) -> InputContract | None:
    """The `input` object of a model or checkpoint."""
    if value is None:
        return None
    fields: dict[str, Any] = {**value}
    for name in _TUPLES:
        if fields.get(name) is not None:
            fields[name] = tuple(fields[name])
    for name, contract in NESTED_CONTRACTS.items():
        if fields.get(name) is not None:
            fields[name] = contract(**fields[name])
    return InputContract(**fields)


def decode_checkpoint(
    value: CheckpointRow,
    model: str,
    network: NetworkSpec | None,
    input: InputContract | None,
) -> Checkpoint:
    """One checkpoint; `network` and `input` are its model's, used where it has no key for them."""
    fields: dict[str, Any] = {**value}
    strength = declared_strength(value)
    fields.pop("doubtful", None)
    fields.pop("publisher", None)
    for name in ("aliases", "sources", "verified", "class_names"):
        if name in fields:
            fields[name] = tuple(fields[name])
    fields["network"] = decode_network(fields["network"]) if "network" in fields else network
    fields["input"] = decode_input(fields["input"]) if "input" in fields else input
    fields["records"] = tuple([Record(**record) for record in fields.get("records", ())])
    return Checkpoint(model=model, declared=strength, **fields)


def decode_entry(value: ModelRow, index: str) -> Entry:
    """One model with all its checkpoints; `index` names where it comes from."""
    fields: dict[str, Any] = {**value}
    network = decode_network(fields.get("network"))
    input = decode_input(fields.get("input"))
    fields["network"], fields["input"] = network, input
    fields["aliases"] = tuple(fields.get("aliases", ()))
    fields["checkpoints"] = tuple(
        decode_checkpoint(item, fields["model"], network, input)
        for item in fields.get("checkpoints", ())
    )
    fields.setdefault("default", None)
    fields.pop("published", None)
    return Entry(index=index, **fields)
