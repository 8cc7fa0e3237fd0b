"""Batch norm that is quick to construct."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import fill, start
from zoohub.networks.layers.operators import shared
from zoohub.networks.layers.parameter import new_parameter


class BatchNorm2d(nn.BatchNorm2d):
    """(B, C, H, W) -> the same shape; parameters, numerics and modes of `nn.BatchNorm2d`.

    MindSpore's constructor makes sixteen operators, of which two are ever run, and that was half
    of the time in which ResNet-50 is loaded. This one shares the two with others of its kind.
    `momentum` is the share of the moving statistics that a training step keeps.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.9) -> None:
        start(self)
        taken = 1.0 - momentum  # from the batch, as the operator counts it
        self.__dict__.update(  # what is neither parameter nor operator needs no __setattr__
            num_features=num_features,
            use_batch_statistics=None,  # of the batch in training, the moving ones in evaluation
            eps=eps,
            momentum=taken,
        )
        size = (num_features,)
        fill(
            self,
            {
                "moving_mean": new_parameter("zeros", size, "mean", learns=False),
                "moving_variance": new_parameter("ones", size, "variance", learns=False),
                "gamma": new_parameter("ones", size, "gamma"),
                "beta": new_parameter("zeros", size, "beta"),
            },
            {
                "bn_train": shared(ops.BatchNorm, is_training=True, epsilon=eps, momentum=taken),
                "bn_infer": shared(ops.BatchNorm, is_training=False, epsilon=eps),
            },
        )

    def construct(self, x: Tensor) -> Tensor:
        norm = self.bn_train if self.training else self.bn_infer
        return norm(x, self.gamma, self.beta, self.moving_mean, self.moving_variance)[0]


class BatchStatistics(BatchNorm2d):
    """Batch norm by the batch's own statistics in evaluation mode too, as some evaluations of the
    models repository have it: what a picture gives depends on those beside it."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.9) -> None:
        super().__init__(num_features, eps, momentum)
        self.use_batch_statistics = True
        # Momentum 0 leaves the moving statistics as they are.
        self.bn_infer = shared(ops.BatchNorm, is_training=True, epsilon=eps, momentum=0.0)
