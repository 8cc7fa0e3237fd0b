"""Recurrent layers over weights that lie otherwise than those of `nn.LSTM`.

Shapes: L steps, B rows, I channels in, H states.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer


def run_lstm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The states (L, B, H) of an LSTM that starts at zero, of x (L, B, I); see `run_lstm_from`."""
    start = ops.zeros((x.shape[1], bias.shape[0] // 4), x.dtype)
    return run_lstm_from(x, weight, bias, start, start)[0]


def run_lstm_from(
    x: Tensor, weight: Tensor, bias: Tensor, state: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The states (L, B, H) of an LSTM, and the last state and cell (B, H), of x (L, B, I).

    `weight` (I + H, 4·H) multiplies the input and the last state joined; its gates are in the
    order input, candidate, forget, output, as Ascend's DynamicRNN has them.
    """
    width = bias.shape[0] // 4
    channels = x.shape[2]
    # All steps' inputs at once: only the states' part must wait for the step before.
    inputs = ops.matmul(x, weight[:channels]) + bias
    # In a tuple: a list that grows in a graph keeps the example's batch in a MINDIR.
    states: tuple[Tensor, ...] = ()
    for step in range(x.shape[0]):
        gates = inputs[step] + ops.matmul(state, weight[channels:])
        entry, candidate, forget, exit = ops.split(gates, width, 1)
        cell = cell * ops.sigmoid(forget) + ops.sigmoid(entry) * ops.tanh(candidate)
        state = ops.sigmoid(exit) * ops.tanh(cell)
        states += (state,)
    return ops.stack(states), state, cell


class JointLSTM(nn.Cell):
    """`run_lstm_from` by one operator where there is one for the device, a CPU.

    That takes any number of steps in one compilation; the loop, which Ascend runs, is compiled for
    each number of them, and needs it to be known.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        self.loops = ms.get_context("device_target") != "CPU"
        self.lstm = ops.LSTM(channels, width, 1, True, False, 0.0)

    def construct(
        self, x: Tensor, weight: Tensor, bias: Tensor, state: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self.loops:
            return run_lstm_from(x, weight, bias, state, cell)
        # The operator's gates are input, forget, candidate, output, its weights all in one.
        entry, candidate, forget, exit = ops.split(ops.transpose(weight, (1, 0)), self.width, 0)
        joint = ops.concat((entry, forget, candidate, exit), 0)
        entry, candidate, forget, exit = ops.split(bias, self.width, 0)
        parts = (joint[:, : self.channels], joint[:, self.channels :])
        flat = [ops.reshape(part, (-1,)) for part in parts]
        flat = ops.concat((*flat, entry, forget, candidate, exit), 0)
        start = (ops.expand_dims(state, 0), ops.expand_dims(cell, 0))
        states, state, cell, _, _ = self.lstm(x, *start, ops.reshape(flat, (-1, 1, 1)))
        return states, state[0], cell[0]


class LSTMWeights(nn.Cell):
    """An LSTM's weights as the models repository's GNMT has them: those that Ascend runs, and
    `lstm`, which other devices run in their place, where `split` says that the file has it."""

    def __init__(self, channels: int, width: int, split: bool) -> None:
        super().__init__()
        init = Uniform(0.1)
        joint = (channels + width, 4 * width)
        self.dynamicRNN_w = Parameter(initializer(init, joint), name="dynamicRNN_w")
        self.dynamicRNN_b = Parameter(initializer(init, (4 * width,)), name="dynamicRNN_b")
        self.split = split
        if split:
            self.lstm = nn.LSTM(channels, width)
        else:
            self.joint = JointLSTM(channels, width)

    def construct(self, x: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if not self.split:
            return self.joint(x, self.dynamicRNN_w, self.dynamicRNN_b, state, cell)
        start = (ops.expand_dims(state, 0), ops.expand_dims(cell, 0))
        states, (state, cell) = self.lstm(x, start)
        return states, state[0], cell[0]


class LSTMLayer(nn.Cell):
    """x (L, B, channels) -> the states (L, B, width), the last state and cell (B, width).

    It begins at zero unless state and cell are given.
    """

    def __init__(self, channels: int, width: int, split: bool = False) -> None:
        super().__init__()
        self.net = LSTMWeights(channels, width, split)
        self.width = width

    def construct(
        self, x: Tensor, state: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        if state is None or cell is None:
            start = ops.zeros((x.shape[1], self.width), x.dtype)
            return self.net(x, start, start)
        return self.net(x, state, cell)
