"""Activations."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter, one, simple


def _silu(c: Call) -> Value:
    x = c.tensor(0)
    return c.add("Mul", [x, c.build.add("Sigmoid", [x])])


def _gelu(c: Call) -> Value:
    """MindSpore's GeLU operator is the tanh approximation."""
    x, b, kind = c.tensor(0), c.build, c.dtype(0)
    cube = b.add("Mul", [b.add("Mul", [x, x]), x])
    inner = b.add("Add", [x, b.add("Mul", [cube, c.named(0.044715, kind)])])
    tanh = b.add("Tanh", [b.add("Mul", [inner, c.named(0.7978845608028654, kind)])])
    half = b.add("Mul", [x, c.named(0.5, kind)])
    return c.add("Mul", [half, b.add("Add", [tanh, c.named(1.0, kind)])])


def _gelu_ext(c: Call) -> Value:
    if c.value(1, "approximate", 0) in (1, "tanh"):
        return _gelu(c)
    x, b, kind = c.tensor(0), c.build, c.dtype(0)
    erf = b.add("Erf", [b.add("Mul", [x, c.named(0.7071067811865476, kind)])])
    half = b.add("Mul", [x, c.named(0.5, kind)])
    return c.add("Mul", [half, b.add("Add", [erf, c.named(1.0, kind)])])


def _clip(low: float, high: float) -> Converter:
    return lambda c: c.add(
        "Clip", [c.tensor(0), c.named(low, c.dtype(0)), c.named(high, c.dtype(0))]
    )


def _clamp(c: Call) -> Value:
    """Between bounds that are numbers, tensors or None."""
    x, kind = c.tensor(0), c.dtype(0)
    for index, op in ((1, "Max"), (2, "Min")):
        if c.given(index):
            x = c.build.add(op, [x, c.tensor(index, kind)])
    return c.result(x)


def _hardtanh(c: Call) -> Value:
    low, high = (float(c.value(1 + i, name)) for i, name in enumerate(("min_val", "max_val")))
    return _clip(low, high)(c)


def _with_slope(op: str, attribute: str, default: float) -> Converter:
    return lambda c: c.add(op, [c.tensor(0)], alpha=float(c.value(1, attribute, default)))


def _prelu(c: Call) -> Value:
    slope = c.tensor(1)
    if c.rank(0) > 2 and c.shape(1) != (1,):
        slope = c.build.add("Reshape", [slope, c.build.ints([-1] + [1] * (c.rank(0) - 2))])
    return c.add("PRelu", [c.tensor(0), slope])


def _mish(c: Call) -> Value:
    x = c.tensor(0)
    return c.add("Mul", [x, c.build.add("Tanh", [c.build.add("Softplus", [x])])])


def _log_sigmoid(c: Call) -> Value:
    softplus = c.build.add("Softplus", [c.build.add("Neg", [c.tensor(0)])])
    negative = c.build.add("Neg", [softplus])
    several = len(c.node.parts) > 1  # the second is for the gradient
    return c.results(negative, negative) if several else c.result(negative)


def _softplus(c: Call) -> Value:
    beta = float(c.value(1, "beta", 1.0) or 1.0)
    if beta == 1.0:
        return c.add("Softplus", [c.tensor(0)])
    inner = c.build.add("Mul", [c.tensor(0), c.named(beta, c.dtype(0))])
    return c.add("Div", [c.build.add("Softplus", [inner]), c.named(beta, c.dtype(0))])


def _soft(op: str, attribute: str) -> Converter:
    def convert(c: Call) -> Value:
        axis = c.value(1, attribute, -1)
        return c.add(op, [c.tensor(0)], axis=-1 if axis is None else one(axis))

    return convert


def _gated(c: Call) -> Value:
    axis = c.axis(1, "axis", -1)
    size = c.shape(0)[axis]
    if size is None:
        raise c.unsupported("an unknown number of channels")
    value, gate = c.build.add_split(c.tensor(0), axis, [size // 2] * 2)
    return c.add("Mul", [value, c.build.add("Sigmoid", [gate])])


ACTIVATIONS: Mapping[str, Converter] = {
    "ReLU": simple("Relu"),
    "ReLU6": _clip(0.0, 6.0),
    "Sigmoid": simple("Sigmoid"),
    "SiLU": _silu,
    "HSwish": simple("HardSwish"),
    "HSigmoid": simple("HardSigmoid", alpha=1 / 6, beta=0.5),
    "Hardtanh": _hardtanh,
    "Tanh": simple("Tanh"),
    "GeLU": _gelu,
    "GeluExt": _gelu_ext,
    "Elu": _with_slope("Elu", "alpha", 1.0),
    "EluExt": _with_slope("Elu", "alpha", 1.0),
    "CeLU": _with_slope("Celu", "alpha", 1.0),
    "LeakyReLU": _with_slope("LeakyRelu", "negative_slope", 0.01),
    "LeakyReLUExt": _with_slope("LeakyRelu", "negative_slope", 0.01),
    "SeLU": simple("Selu"),
    "SeLUExt": simple("Selu"),
    "PReLU": _prelu,
    "Mish": _mish,
    "MishExt": _mish,
    "Softplus": _softplus,
    "SoftplusExt": _softplus,
    "Softsign": simple("Softsign"),
    "LogSigmoid": _log_sigmoid,
    "Softmax": _soft("Softmax", "axis"),
    "LogSoftmax": _soft("LogSoftmax", "axis"),
    "LogSoftmaxExt": _soft("LogSoftmax", "dim"),
    "ClampScalar": _clamp,
    "ClampTensor": _clamp,
    "GLU": _gated,
}
