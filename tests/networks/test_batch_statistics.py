"""Batch norm by the batch's own statistics: what it gives, and that exports leave it alone."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import nn

from zoohub.graphs.folding import fold_batch_norms
from zoohub.networks.layers.norm import BatchNorm2d, BatchStatistics

BATCH = np.random.default_rng(0).standard_normal((4, 3, 5, 6)).astype(np.float32) * 3 + 2


def test_the_batch_is_normalised_and_the_moving_statistics_stay():
    norm = BatchStatistics(3).set_train(False)
    got = norm(ms.Tensor(BATCH)).asnumpy()
    mean, std = BATCH.mean((0, 2, 3), keepdims=True), BATCH.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(got, (BATCH - mean) / std, rtol=1e-4, atol=1e-4)
    assert not norm.moving_mean.asnumpy().any()
    assert (norm.moving_variance.asnumpy() == 1).all()


def test_it_is_not_folded_into_the_convolution_before_it():
    for kind, folded in ((BatchNorm2d, 1), (BatchStatistics, 0)):
        net = nn.SequentialCell([nn.Conv2d(3, 4, 3), kind(4)]).set_train(False)
        assert fold_batch_norms(net, (BATCH,))[0].pairs == folded
