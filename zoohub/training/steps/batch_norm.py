"""Batch norm whose statistics are those of all workers' pictures together.

MindSpore's nn.SyncBatchNorm has no CPU kernel; this one is made of AllReduce and arithmetic, and so
runs wherever several workers can.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class SyncBatchNorm2d(nn.BatchNorm2d):
    """(B, C, H, W) -> the same shape, normalised in training by the statistics of every worker.

    The workers' shares are equal, so the mean of their means is the mean of all.
    """

    workers: int
    reduce: nn.Cell

    def construct(self, x: Tensor) -> Tensor:
        """See the class."""
        mean, variance = self.moving_mean, self.moving_variance
        if self.training:
            mean = self._of_all(x.mean((0, 2, 3)))
            centred = x - mean.reshape((1, -1, 1, 1))
            variance = self._of_all((centred * centred).mean((0, 2, 3)))
            count = self.workers * x.shape[0] * x.shape[2] * x.shape[3]
            # The moving variance is the unbiased one, as that of MindSpore's own operator.
            unbiased = variance * (count / max(1, count - 1))
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, unbiased)
        factor = self.gamma * ops.rsqrt(variance + self.eps)
        shift = self.beta - mean * factor
        return x * factor.reshape((1, -1, 1, 1)) + shift.reshape((1, -1, 1, 1))

    def _of_all(self, value: Tensor) -> Tensor:
        return self.reduce(value) / self.workers if self.workers > 1 else value

    def _move(self, statistic: Tensor, value: Tensor) -> None:
        moved = statistic * (1 - self.momentum) + value * self.momentum
        ops.assign(statistic, ops.stop_gradient(moved))


class Synchronised:
    """Turns every batch norm of a network into a synchronised one, and back again.

    The cells stay who they are, with their parameters and names; only their class changes. One
    worker alone has nothing to synchronise: its network stays as it is.
    """

    def __init__(self, net: nn.Cell, workers: int) -> None:
        self._cells = [
            (cell, type(cell))
            for _, cell in net.cells_and_names()
            if isinstance(cell, nn.BatchNorm2d) and workers > 1
        ]
        for cell, _ in self._cells:
            cell.__class__ = SyncBatchNorm2d
            cell.workers, cell.reduce = workers, ops.AllReduce()

    def __len__(self) -> int:
        return len(self._cells)

    def restore(self) -> None:
        """Give the cells their own class back."""
        for cell, kind in self._cells:
            cell.__class__ = kind
        self._cells = []
