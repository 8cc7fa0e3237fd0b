"""Synchronised batch norm computes what MindSpore's does, over the pictures of all workers."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.training.steps.batch_norm import SyncBatchNorm2d, Synchronised


class Cubes(nn.Cell):
    """Something whose gradient with respect to the images is not zero."""

    def __init__(self, net: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, images: Tensor) -> Tensor:
        return (self.net(images) ** 3).sum()


def test_one_worker_alone_computes_and_learns_as_mindspores_batch_norm() -> None:
    random = np.random.default_rng(0)
    images = Tensor(random.normal(2, 3, (4, 3, 5, 6)).astype(np.float32))
    own, sync = (nn.SequentialCell([BatchNorm2d(3)]) for _ in range(2))
    for cell in sync:
        cell.__class__, cell.workers = SyncBatchNorm2d, 1
    for training in (True, True, False):
        results = []
        for net in (own, sync):
            net.set_train(training)
            step = ms.value_and_grad(Cubes(net), 0, net.trainable_params())
            loss, (to_input, to_weights) = step(images)
            results.append([loss, to_input, *to_weights, *net.get_parameters()])
        for expected, found in zip(*results, strict=True):
            np.testing.assert_allclose(found.asnumpy(), expected.asnumpy(), rtol=2e-4, atol=2e-4)


def test_the_cells_get_their_class_back_and_keep_their_names() -> None:
    net = nn.SequentialCell([nn.BatchNorm2d(2), BatchNorm2d(2)])
    names = [p.name for p in net.get_parameters()]
    assert len(Synchronised(net, workers=1)) == 0
    changed = Synchronised(net, workers=2)
    assert [type(cell) for cell in net] == [SyncBatchNorm2d, SyncBatchNorm2d]
    assert [p.name for p in net.get_parameters()] == names
    changed.restore()
    assert [type(cell) for cell in net] == [nn.BatchNorm2d, BatchNorm2d]
