"""Dropout whose masks follow from a number given for each step.

MindSpore's own Dropout draws from a state inside its kernel, which can be neither saved nor set,
so that a resumed run would go another way.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops


class StepDropout(nn.Cell):
    """Zeroes each value with chance `p` in training; the mask is a hash of `key` and the place.

    The hash is the 32-bit finaliser of MurmurHash3 in wrapping int32 arithmetic; `salt` makes
    the layers of a network differ.
    """

    def __init__(self, p: float, key: Parameter, salt: int) -> None:
        super().__init__(auto_prefix=False)
        self.p, self.salt = p, salt
        self.key = key
        self.limit = Tensor(round(p * 2**24), ms.int32)

    def construct(self, x: Tensor) -> Tensor:
        """Any shape, floating point; the kept values are scaled by 1 / (1 - p)."""
        if not self.training or self.p == 0:
            return x
        bits = ops.arange(x.size).astype(ms.int32) * 747796405 + (self.key + self.salt)
        bits = ops.bitwise_xor(bits, ops.bitwise_right_shift(bits, Tensor(16, ms.int32)))
        bits = bits * -2048144789
        bits = ops.bitwise_xor(bits, ops.bitwise_right_shift(bits, Tensor(13, ms.int32)))
        bits = bits * -1028477387
        bits = ops.bitwise_xor(bits, ops.bitwise_right_shift(bits, Tensor(16, ms.int32)))
        kept = ops.bitwise_and(bits, Tensor(2**24 - 1, ms.int32)) >= self.limit
        return x * ops.stop_gradient(kept.reshape(x.shape).astype(x.dtype)) * (1 / (1 - self.p))


class Dropouts:
    """Puts `StepDropout` in the place of every `nn.Dropout` of a network, and back again."""

    def __init__(self, net: nn.Cell) -> None:
        self.key = Parameter(Tensor(0, ms.int32), name="dropout_key", requires_grad=False)
        self._replaced: list[tuple[nn.Cell, str, nn.Cell]] = []
        for _, parent in list(net.cells_and_names()):
            for name, cell in list(parent.name_cells().items()):
                if isinstance(cell, nn.Dropout) and cell.p > 0:
                    self._replaced.append((parent, name, cell))
        for number, (parent, name, cell) in enumerate(self._replaced):
            _put(parent, name, StepDropout(float(cell.p), self.key, number * 40503))

    def set_step(self, seed: int, step: int, part: int) -> None:
        """Choose the masks of a step's micro-batch number `part` (over all workers)."""
        if self._replaced:
            self.key.set_data(Tensor(dropout_key(seed, step, part), ms.int32))

    def restore(self) -> None:
        """Give the network its own dropout back."""
        for parent, name, cell in self._replaced:
            _put(parent, name, cell)
        self._replaced = []


def _put(parent: nn.Cell, name: str, cell: nn.Cell) -> None:
    if isinstance(parent, nn.SequentialCell):
        parent[list(parent.name_cells()).index(name)] = cell
    else:
        setattr(parent, name, cell)


def dropout_key(seed: int, step: int, part: int) -> int:
    """The key of a step's micro-batch on one worker."""
    return int(np.random.default_rng([seed, 3, step, part]).integers(2**31))
