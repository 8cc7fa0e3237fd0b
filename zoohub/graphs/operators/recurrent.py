"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter

# MindSpore's gates are input, forget, cell, output; ONNX's input, output, forget, cell.
_GATES = (0, 3, 1, 2)


def _lstm(c: Call) -> Value:
    """(x, h, c, weights), all weights in one: by input, by hidden state, biases."""
    layers, both_ways = c.attribute("num_layers", 1), c.attribute("bidirectional", False)
    if layers != 1 or both_ways or c.attribute("proj_size", 0):
        raise c.unsupported("several layers, directions or a projection in one")
    size, hidden = int(c.attribute("input_size")), int(c.attribute("hidden_size"))
    b = c.build
    flat = b.add("Reshape", [c.tensor(3), b.ints([-1])])
    start = 0

    def take(*shape: int) -> str:
        """The next weights, gate by gate in ONNX's order: (1, …)."""
        nonlocal start
        count = int(np.prod(shape))
        part = b.add("Slice", [flat, b.ints([start]), b.ints([start + count]), b.ints([0])])
        start += count
        gates = b.add("Reshape", [part, b.ints([4, hidden, *shape[1:]])])
        ordered = b.add("Gather", [gates, b.ints(_GATES)], axis=0)
        return b.add("Reshape", [ordered, b.ints([1, *shape])])

    inputs = [c.tensor(0), take(4 * hidden, size), take(4 * hidden, hidden)]
    if c.attribute("has_bias", True):
        none = b.constant(np.zeros((1, 4 * hidden), c.dtype(0)))
        inputs.append(b.add("Concat", [take(4 * hidden), none], axis=1))
    else:
        inputs.append("")
    names = [b.fresh("lstm") for _ in range(3)]
    b.add_node("LSTM", [*inputs, "", c.tensor(1), c.tensor(2)], names, hidden_size=hidden)
    steps = b.add("Squeeze", [names[0], b.ints([1])])
    return c.results(steps, names[1], names[2])


RECURRENT: Mapping[str, Converter] = {"LSTM": _lstm}
