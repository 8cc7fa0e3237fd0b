"""Recurrent layers over weights that lie otherwise than those of `nn.LSTM`.

Shapes: L steps, B rows, I channels in, H states.
"""

from __future__ import annotations

from mindspore import Tensor, ops


def run_lstm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The states (L, B, H) of an LSTM that starts at zero, of x (L, B, I).

    `weight` (I + H, 4·H) multiplies the input and the last state joined; its gates are in the
    order input, candidate, forget, output, as Ascend's DynamicRNN has them.
    """
    width = bias.shape[0] // 4
    channels = x.shape[2]
    # All steps' inputs at once: only the states' part must wait for the step before.
    inputs = ops.matmul(x, weight[:channels]) + bias
    state = cell = ops.zeros((x.shape[1], width), x.dtype)
    states = []
    for step in range(x.shape[0]):
        gates = inputs[step] + ops.matmul(state, weight[channels:])
        entry, candidate, forget, exit = ops.split(gates, width, 1)
        cell = cell * ops.sigmoid(forget) + ops.sigmoid(entry) * ops.tanh(candidate)
        state = ops.sigmoid(exit) * ops.tanh(cell)
        states.append(state)
    return ops.stack(states)
