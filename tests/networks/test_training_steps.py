"""Every classification network trained for a few steps on a few pictures."""

from __future__ import annotations

import mindspore as ms
import numpy as np
import pytest
from classifiers import OUTSIDE, Classifier, tried
from mindspore import Tensor, nn, ops

RATE, STEPS = 0.0005, 2  # small enough to go down from anywhere


@pytest.mark.parametrize("classifier", tried(outside=OUTSIDE | {"resnest"}))
def test_a_few_steps_on_a_few_pictures_lower_the_loss(classifier: Classifier) -> None:
    ms.set_seed(0)
    np.random.seed(0)
    net = classifier.fresh_for_two_classes().set_train(True)
    descent = nn.SGD(net.trainable_params(), RATE)
    batch = classifier.batch
    pictures = Tensor(classifier.picture(batch))
    labels = Tensor(np.arange(batch, dtype=np.int32) % 2)
    cross_entropy = nn.CrossEntropyLoss()

    def loss_of(pictures: Tensor, labels: Tensor) -> Tensor:
        outputs = net(pictures)
        return cross_entropy(outputs[0] if isinstance(outputs, tuple) else outputs, labels)

    step = ms.value_and_grad(loss_of, None, descent.parameters)
    losses = []
    for _ in range(STEPS + 1):
        loss, gradients = step(pictures, labels)
        descent(ops.clip_by_global_norm(gradients, 1.0))
        losses.append(float(loss.asnumpy()))
    assert losses[-1] < losses[0], losses
