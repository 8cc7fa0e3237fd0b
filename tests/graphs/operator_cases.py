"""What networks of the zoo are made of, as small functions of (2, 4, 12, 12) float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

CASES: dict[str, Callable[[Tensor], Any]] = {}
LAYERS: dict[str, Callable[[], nn.Cell]] = {}


def case(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    CASES[function.__name__] = function
    return function


@case
def gelu_exact(x: Tensor) -> Any:
    return ops.gelu(x, approximate="none"), ops.gelu(x, approximate="tanh"), ops.gelu(x)


@case
def softmaxes(x: Tensor) -> Any:
    return ops.softmax(x, 1), ops.softmax(x, -1), ops.log_softmax(x, 1), ops.log_softmax(x)


@case
def activations(x: Tensor) -> Any:
    return (
        ops.elu(x),
        ops.leaky_relu(x, 0.1),
        ops.selu(x),
        ops.celu(x, 1.0),
        ops.hardswish(3 * x),
        ops.hardsigmoid(3 * x),
        ops.hardtanh(3 * x),
        ops.silu(x),
        ops.mish(x),
        ops.softplus(x),
        ops.softsign(x),
        ops.relu6(5 * x),
        ops.sigmoid(x),
        ops.tanh(x),
        ops.relu(x),
        ops.logsigmoid(x),
    )


@case
def clamps(x: Tensor) -> Any:
    return ops.clamp(x, -0.5, 0.5), ops.clip_by_value(x, -1.0, 1.0), x.clip(-0.2, 0.3)


@case
def products(x: Tensor) -> Any:
    a = x.reshape(2, 4, 144)
    return (
        ops.matmul(x, x),
        ops.matmul(x, x.swapaxes(-1, -2)),
        ops.bmm(a, a.swapaxes(1, 2)),
        ops.BatchMatMul(transpose_b=True)(a, a),
        ops.BatchMatMul(transpose_a=True)(a, a),
        ops.MatMul(transpose_b=True)(x[0, 0], x[1, 1]),
        ops.MatMul(transpose_a=True)(x[0, 0], x[1, 1]),
        ops.matmul(a, x[0, 0, 0, 0].reshape(1, 1) * ops.ones((144, 5), ms.float32)),
        ops.addmm(x[0, 0], x[0, 1], x[1, 0]),
    )


@case
def vectors(x: Tensor) -> Any:
    return (
        ops.matmul(x, x[0, 0, 0]),
        ops.matmul(x[0, 0, 0], x[0, 0]),
        ops.outer(x[0, 0, 0], x[0, 0, 1]),
    )


@case
def flipped(x: Tensor) -> Any:
    return ops.flip(x, (3,)), x.flip((2,))


@case
def gathered(x: Tensor) -> Any:
    index = Tensor(np.array([2, 0, 1], np.int32))
    return (
        ops.gather(x, index, 1),
        ops.gather_elements(x, 1, ops.zeros((2, 2, 12, 12), ms.int32)),
        ops.gather_nd(x, Tensor(np.array([[0, 1], [1, 2]], np.int32))),
        ops.index_select(x, 2, index),
    )


@case
def indexed(x: Tensor) -> Any:
    return x[:, Tensor(np.array([2, 0, 1], np.int32))]


@case
def split_apart(x: Tensor) -> Any:
    a, b = ops.split(x, 2, 1)
    c, d, e = ops.split(x, [5, 4, 3], 2)
    f, g = ops.chunk(x, 2, 3)
    return a - b, c, d, e, f * g, ops.unbind(x, 1)[2] if hasattr(ops, "unbind") else x


@case
def put_together(x: Tensor) -> Any:
    return (
        ops.concat((x, 2 * x), -1),
        ops.cat([x, x], 0),
        ops.stack((x, 2 * x), -1),
        ops.stack([x, x], 1),
        ops.hstack((x, x)),
    )


@case
def sliced(x: Tensor) -> Any:
    return (
        x[:, None, 1],
        x[..., None],
        x[:, :, ::2, 1::2],
        x[..., -3:],
        x[:, -1, 2:-1],
        x[0],
        x[:, 1:3, ..., 0],
        ops.strided_slice(x, (0, 1, 0, 0), (2, 3, 12, 6), (1, 1, 2, 3)),
    )


@case
def repeated(x: Tensor) -> Any:
    return (
        ops.tile(x, (1, 2, 1, 3)),
        ops.broadcast_to(x[:, :1], (-1, 4, 12, 12)),
        x[:, :1].expand_as(x),
        ops.repeat_interleave(x, 2, 1),
        x[:, :1].broadcast_to((2, 3, 12, 12)),
    )


@case
def padded(x: Tensor) -> Any:
    return (
        ops.pad(x, (1, 2, 3, 4)),
        ops.pad(x, (1, 2), value=2.5),
        ops.pad(x, (1, 2, 2, 1), mode="reflect"),
        ops.pad(x, (1, 2, 2, 1), mode="replicate"),
        ops.pad(x, (1, 2, 2, 1), mode="circular"),
        ops.Pad(((0, 0), (0, 0), (1, 2), (3, 0)))(x),
        nn.ZeroPad2d((1, 0, 2, 1))(x),
        nn.ReflectionPad2d((1, 2, 2, 1))(x),
        nn.Pad(((0, 0), (0, 0), (1, 1), (2, 2)), mode="REFLECT")(x),
        nn.Pad(((0, 0), (0, 0), (1, 1), (2, 2)), mode="SYMMETRIC")(x),
    )


@case
def resized_bilinear(x: Tensor) -> Any:
    return (
        ops.interpolate(x, size=(20, 17), mode="bilinear", align_corners=False),
        ops.interpolate(x, size=(20, 17), mode="bilinear", align_corners=True),
        ops.interpolate(x, size=(6, 6), mode="bilinear", align_corners=False),
    )


@case
def resized_by_factor(x: Tensor) -> Any:
    return ops.interpolate(x, scale_factor=2.0, mode="bilinear", recompute_scale_factor=True)


@case
def resized_nearest(x: Tensor) -> Any:
    return (
        ops.interpolate(x, size=(24, 24), mode="nearest"),
        ops.interpolate(x, size=(7, 17), mode="nearest"),
        ops.ResizeNearestNeighbor((24, 36))(x),
        ops.ResizeNearestNeighbor((24, 36), align_corners=True)(x),
    )


@case
def resized_to_another(x: Tensor) -> Any:
    small = x[:, :, ::2, ::3]
    return ops.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=True)


@case
def sizes_rounded(x: Tensor) -> Any:
    """Down, up by a negative division, and what is missing to a multiple."""
    rows = x.shape[2]
    return x[:, :, : rows // 5], x[:, :, : -(-rows // 5)], x[:, :, : -rows % 5]


@case
def resized_bicubic(x: Tensor) -> Any:
    return ops.interpolate(x, size=(20, 17), mode="bicubic", align_corners=False)


@case
def ranked(x: Tensor) -> Any:
    values, places = ops.topk(x, 3)
    smallest, _ = ops.topk(x, 2, dim=1, largest=False)
    return (
        values,
        places,
        smallest,
        ops.argmax(x, 1),
        x.argmax(-1),
        ops.argmin(x, 1),
        ops.Argmax(axis=1)(x),
        ops.max(x, 1)[0],
        ops.min(x, 1)[0],
        ops.ArgMaxWithValue(1, True)(x)[1],
        ops.sort(x, 2)[0],
    )


@case
def powers(x: Tensor) -> Any:
    y = ops.abs(x) + 0.1
    return (
        ops.sqrt(y),
        ops.rsqrt(y),
        ops.pow(y, 1.5),
        y**2,
        ops.square(x),
        ops.erf(x),
        ops.exp(x),
        ops.log(y),
        ops.log1p(y),
        ops.expm1(x),
        ops.reciprocal(y),
        ops.sin(x),
        ops.cos(x),
        ops.tan(x),
        ops.atan(x),
        ops.asin(x / 10),
        ops.sign(x),
        ops.neg(x),
        ops.round(3 * x),
        ops.floor(3 * x),
        ops.ceil(3 * x),
        ops.trunc(3 * x),
        ops.log2(y),
    )


@case
def reduced(x: Tensor) -> Any:
    return (
        ops.mean(x, (2, 3), True),
        x.mean(),
        ops.sum(x, (1,), True),
        x.sum(-1),
        ops.max(x, 2)[0],
        ops.amax(x, (2, 3), True),
        ops.amin(x, 1),
        ops.prod(x, 2),
        ops.var(x, 1),
        ops.std(x, (2, 3)),
        ops.norm(x, 2, 1),
        ops.logsumexp(x, 1),
        ops.ReduceMean(True)(x, 1),
        ops.ReduceSum()(x),
        ops.ReduceMax()(x, (2, 3)),
        ops.all(x > 0, 1),
        ops.any(x > 0, 1),
    )


@case
def chosen(x: Tensor) -> Any:
    return (
        ops.where(x > 0, x, -2 * x),
        ops.where(x > 0, x, ops.zeros_like(x)),
        ops.where(x > 0, x, 0.5),
        ops.select(x > 0, x, 3 * x),
        ops.masked_fill(x, x < 0, -1e9),
        x.masked_fill(x < 0, 0.0),
        ops.maximum(x, 0.2),
        ops.minimum(x, x * 2),
    )


@case
def compared(x: Tensor) -> Any:
    y = x * 2
    zero = ops.zeros_like(x)
    both = ops.logical_and(x > y, x != zero)
    return (
        (x > y).astype(ms.float32),
        (x >= 0).astype(ms.int32),
        ops.less(x, y).astype(ms.float32),
        (x <= y).astype(ms.float32),
        ops.equal(x, zero),
        ops.not_equal(x, zero),
        ops.argmax(x, -1) == 0,
        both,
        ops.logical_or(x > y, x < 0),
        ops.logical_not(x > y),
        ops.logical_xor(x > y, x > 0),
        ops.isnan(x),
    )


@case
def cast(x: Tensor) -> Any:
    return (
        x.astype(ms.float16).astype(ms.float32),
        x.astype(ms.int32),
        x.astype(ms.int64),
        x.astype(ms.bool_).astype(ms.float32),
        ops.cast(x, ms.float16).astype(ms.float32),
        ops.floor_divide(x.astype(ms.int32) + 7, 3),
        (x.astype(ms.int32) + 7) % 3,
        x.astype(ms.int32) * 2 + 1,
    )


@case
def numbered(x: Tensor) -> Any:
    index = x.astype(ms.int32) % 4
    return (
        ops.one_hot(index, 4, Tensor(1.0, ms.float32), Tensor(0.0, ms.float32)),
        ops.cumsum(x, 1),
        ops.CumSum(True, True)(x, 2),
        ops.arange(5).astype(ms.float32) + x[:, :, :, :5],
        ops.L2Normalize(axis=1)(x),
        ops.zeros((2, 3), ms.float32) + x[0, 0, 0, 0],
        ops.full((3,), 2.5, dtype=ms.float32) * x[0, 0, 0, 0],
        ops.ones_like(x) + ops.full_like(x, 2.0),
        ops.tril(x),
        ops.triu(x, 1),
        ops.eye(12, 12, ms.float32) * x,
    )


@case
def of_shapes(x: Tensor) -> Any:
    b, c, h, w = x.shape
    tokens = x.reshape(b, c, h * w).transpose(0, 2, 1)
    heads = tokens.reshape(b, h * w, 2, c // 2).transpose(0, 2, 1, 3)
    windows = x.reshape(b, c, h // 3, 3, w // 3, 3).transpose(0, 2, 4, 3, 5, 1)
    return (
        tokens,
        heads,
        windows.reshape(-1, 9, c),
        ops.flatten(x, start_dim=2),
        x.view(b, -1),
        ops.squeeze(x[:, :1], 1),
        ops.swapaxes(x, 1, 3),
        ops.moveaxis(x, 1, -1),
        x.permute(0, 2, 3, 1),
        ops.unsqueeze(x, 0),
        ops.meshgrid(x[0, 0, 0], x[0, 0, 1], indexing="ij")[1],
    )


@case
def shuffled(x: Tensor) -> Any:
    return (
        ops.pixel_shuffle(x, 2),
        ops.pixel_unshuffle(x, 2),
        ops.DepthToSpace(2)(x),
        ops.SpaceToDepth(2)(x),
    )


@case
def unfolded(x: Tensor) -> Any:
    return ops.unfold(x, 3, padding=1)


@case
def pooled_in_parts(x: Tensor) -> Any:
    return ops.adaptive_avg_pool2d(x, (3, 4)), ops.adaptive_avg_pool2d(x, (5, 7))


@case
def pooled(x: Tensor) -> Any:
    return (
        ops.avg_pool2d(x, 3, 2, 1),
        ops.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        ops.avg_pool2d(x, 3, 2, ceil_mode=True),
        ops.max_pool2d(x, 3, 2, 1),
        ops.adaptive_avg_pool2d(x, 1),
        ops.adaptive_max_pool2d(x, 1) if hasattr(ops, "adaptive_max_pool2d") else x,
    )


def layer(name: str) -> Callable[[Callable[[], nn.Cell]], Callable[[], nn.Cell]]:
    def register(make: Callable[[], nn.Cell]) -> Callable[[], nn.Cell]:
        LAYERS[name] = make
        return make

    return register


LAYERS.update(
    {
        "conv_groups": lambda: nn.Conv2d(4, 8, 3, group=4, has_bias=True),
        "conv_dilated": lambda: nn.Conv2d(4, 8, 3, dilation=2, has_bias=True),
        "conv_pad": lambda: nn.Conv2d(4, 8, (3, 5), (1, 2), "pad", (1, 1, 2, 2)),
        "conv_transposed": lambda: nn.Conv2dTranspose(4, 6, 3, 2, has_bias=True),
        "conv_transposed_pad": lambda: nn.Conv2dTranspose(4, 6, 4, 2, "pad", 1, has_bias=True),
        "conv_transposed_valid": lambda: nn.Conv2dTranspose(4, 6, 2, 2, "valid"),
        "conv_transposed_output": lambda: nn.Conv2dTranspose(
            4, 6, 3, 2, "pad", 1, output_padding=1
        ),
        "conv_transposed_groups": lambda: nn.Conv2dTranspose(4, 8, 3, 2, "same", group=2),
        "pool_same": lambda: nn.AvgPool2d(3, 2, "same"),
        "pool_pad": lambda: nn.AvgPool2d(3, 2, "pad", 1),
        "pool_pad_excluded": lambda: nn.AvgPool2d(3, 2, "pad", 1, count_include_pad=False),
        "pool_ceil": lambda: nn.AvgPool2d(3, 2, "pad", 0, ceil_mode=True),
        "max_pool_pad": lambda: nn.MaxPool2d(3, 2, "pad", 1),
        "max_pool_ceil": lambda: nn.MaxPool2d(3, 2, "pad", 0, ceil_mode=True),
        "adaptive_avg": lambda: nn.AdaptiveAvgPool2d((1, 1)),
        "adaptive_avg_3": lambda: nn.AdaptiveAvgPool2d((3, 3)),
        "adaptive_max": lambda: nn.AdaptiveMaxPool2d(1),
        "layer_norm": lambda: nn.LayerNorm((12,), epsilon=1e-6),
        "layer_norm_2": lambda: nn.LayerNorm((12, 12), begin_norm_axis=2, begin_params_axis=2),
        "group_norm": lambda: nn.GroupNorm(2, 4),
        "instance_norm": lambda: nn.BatchNorm2d(4, use_batch_statistics=None),
        "batch_norm": lambda: nn.BatchNorm2d(4),
        "batch_norm_by_the_batch": lambda: nn.BatchNorm2d(4, use_batch_statistics=True),
        "dense": lambda: nn.Dense(12, 5),
        "dense_activation": lambda: nn.Dense(12, 5, activation="relu"),
        "prelu": lambda: nn.PReLU(4),
        "prelu_one": lambda: nn.PReLU(1),
        "gelu": lambda: nn.GELU(approximate=False),
        "gelu_tanh": lambda: nn.GELU(),
        "hswish": lambda: nn.HSwish(),
        "hsigmoid": lambda: nn.HSigmoid(),
        "silu": lambda: nn.SiLU(),
        "elu": lambda: nn.ELU(),
        "leaky": lambda: nn.LeakyReLU(0.1),
        "dropout": lambda: nn.Dropout(p=0.5),
        "softmax": lambda: nn.Softmax(-1),
        "log_softmax": lambda: nn.LogSoftmax(-1),
        "upsample": lambda: nn.Upsample(size=(24, 20), mode="bilinear", align_corners=True),
        "upsample_nearest": lambda: nn.Upsample(
            scale_factor=2.0, mode="nearest", recompute_scale_factor=True
        ),
    }
)


class Conv1d(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3, has_bias=True)
        self.pool = nn.MaxPool1d(2, 2)

    def construct(self, x: Tensor) -> Any:
        y = self.conv(x[:, :, 0])
        return y, self.pool(y)


class Conv3d(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 3, has_bias=True)

    def construct(self, x: Tensor) -> Any:
        return self.conv(x.expand_dims(1))


class Embedded(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.places = Parameter(Tensor(np.arange(96, dtype=np.float32).reshape(1, 12, 8)), "places")
        self.norm = nn.LayerNorm((8,))

    def construct(self, x: Tensor) -> Any:
        ids = x[:, 0, 0].astype(ms.int32) % 5
        y = self.words(ids) + self.places[:, : ids.shape[1]]
        return self.norm(y)


class Attention(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Dense(8, 24)
        self.out = nn.Dense(8, 8)
        self.widen = nn.Dense(4, 8)

    def construct(self, x: Tensor) -> Any:
        b, c, h, w = x.shape
        y = self.widen(x.reshape(b, c, h * w).transpose(0, 2, 1))
        qkv = self.qkv(y).reshape(b, h * w, 3, 2, 4).transpose(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = ops.softmax(ops.matmul(q, k.swapaxes(-2, -1)) * 0.5, -1)
        return self.out(ops.matmul(weights, v).swapaxes(1, 2).reshape(b, h * w, 8))


class MultiHead(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)

    def construct(self, x: Tensor) -> Any:
        y = x[:, 0]
        return self.attention(y, y, y)[0]


class Recurrent(nn.Cell):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](
            12, 5, num_layers=2, batch_first=True, bidirectional=kind == "lstm"
        )

    def construct(self, x: Tensor) -> Any:
        return self.rnn(x[:, 0])[0]


LAYERS.update(
    {
        "conv1d": Conv1d,
        "conv3d": Conv3d,
        "embedded": Embedded,
        "attention": Attention,
        "multi_head": MultiHead,
        "lstm": lambda: Recurrent("lstm"),
        "gru": lambda: Recurrent("gru"),
    }
)


class Function(nn.Cell):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, x: Tensor) -> Any:
        return self.function(x)
