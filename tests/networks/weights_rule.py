"""Weights and inputs that follow from names alone, so that outputs can be compared anywhere.

The rule is that of the reference data: each parameter gets numbers from a generator seeded with
its name's CRC32 and a seed; constants that the constructor computes (anchors, strides) keep their
values.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from typing import Any

import numpy as np

Table = list[list[Any]]


def rule_value(name: str, shape: tuple[int, ...], seed: int = 1, gain: float = 1.0) -> np.ndarray:
    """The float32 value the rule gives to parameter `name`."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    if name.endswith(("moving_variance", "gamma")):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(("moving_mean", "beta", "bias")):
        value = 0.1 * rng.standard_normal(shape)
    else:
        fan_in = math.prod(shape[1:]) or 1
        value = rng.standard_normal(shape) * math.sqrt(1 / fan_in) * gain
    return value.astype(np.float32)


def table_of(net: Any) -> Table:
    """Rows of name, shape, dtype and requires_grad, in the network's own order."""
    return [
        [p.name, [int(n) for n in p.shape], str(p.dtype), bool(p.requires_grad)]
        for p in net.get_parameters()
    ]


def digest_of(table: Table) -> str:
    """SHA-256 over the table's canonical JSON."""
    return hashlib.sha256(json.dumps(table, separators=(",", ":")).encode()).hexdigest()


def fill_by_rule(net: Any, names: dict[str, str] | None = None, gain: float = 1.0) -> None:
    """Give every parameter its value by the rule.

    `names` maps the network's own names to those the rule is to see, where a publisher's names
    differ.
    """
    from mindspore import Tensor

    for parameter in net.get_parameters():
        statistic = parameter.name.endswith(("moving_mean", "moving_variance"))
        whole = not str(parameter.dtype).startswith(("Float", "BFloat"))
        if whole or not (parameter.requires_grad or statistic):
            parameter.init_data()  # where the network was built without values, its own
            continue
        name = (names or {}).get(parameter.name, parameter.name)
        parameter.set_data(Tensor(rule_value(name, tuple(parameter.shape), gain=gain)))


def flatten(output: Any) -> list[np.ndarray]:
    """Every tensor of a nested output, depth first."""
    if isinstance(output, (tuple, list)):
        return [array for part in output for array in flatten(part)]
    return [output.asnumpy()]


def nesting(output: Any) -> Any:
    """The output's shapes, nested as the output is."""
    if isinstance(output, (tuple, list)):
        return [nesting(part) for part in output]
    return list(output.shape)
