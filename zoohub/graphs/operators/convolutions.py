"""Convolutions, of any number of axes, and transposed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter


def pad_mode(mode: object) -> str:
    """MindSpore's `pad_mode` by name (0 pad, 1 same, 2 valid, or a name already)."""
    names = {0: "pad", 1: "same", 2: "valid"}
    return names[mode] if isinstance(mode, int) else str(mode).lower()


def padding(mode: object, pads: Sequence[int] | None = None) -> dict[str, object]:
    """ONNX's padding for MindSpore's; `pads` are before and after of each axis in turn."""
    name = pad_mode(mode)
    if name == "same":
        return {"auto_pad": "SAME_UPPER"}
    if name == "valid" or pads is None or not any(pads):
        return {}
    return {"pads": [*pads[0::2], *pads[1::2]]}


def _conv(c: Call) -> Value:
    kernel = list(c.attribute("kernel_size"))
    axes = len(kernel)
    stride, dilation = (list(c.attribute(name))[-axes:] for name in ("stride", "dilation"))
    settings: dict[str, object] = {
        "kernel_shape": kernel,
        "strides": stride,
        "dilations": dilation,
        "group": int(c.attribute("group", c.attribute("groups", 1))),
    }
    settings |= padding(c.attribute("pad_mode"), c.attribute("pad_list"))
    if "auto_pad" in settings and any(d != 1 for d in dilation):  # onnxruntime refuses both
        del settings["auto_pad"]
        settings["pads"] = _same_pads(c, kernel, stride, dilation)
    return c.add("Conv", [c.tensor(0), c.tensor(1)], **settings)


def _same_pads(
    c: Call, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """The borders that give as many places as strides: before every axis, then after."""
    before, after = [], []
    for size, k, s, d in zip(c.shape(0)[2:], kernel, stride, dilation, strict=True):
        if size is None and s != 1:
            raise c.unsupported("pad mode same, stride and dilation for an input of any size")
        beyond = 0 if size is None else (-(-size // s) - 1) * s - (size - 1)
        total = max(d * (k - 1) + beyond, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return [*before, *after]


def _conv_transposed(c: Call) -> Value:
    """(x, weight, size of the output): the gradient of a convolution by its input."""
    kernel = list(c.attribute("kernel_size"))
    axes = len(kernel)
    stride, dilation = (list(c.attribute(name))[-axes:] for name in ("stride", "dilation"))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    name = pad_mode(c.attribute("pad_mode"))
    before, after, beyond = [0] * axes, [0] * axes, [0] * axes
    if name == "pad":
        pads = list(c.attribute("pad_list"))
        before, after = pads[0::2], pads[1::2]
    else:
        beyond = [max(s - r, 0) for s, r in zip(stride, reach, strict=True)]
    if name == "same":
        total = [max(r - s, 0) for r, s in zip(reach, stride, strict=True)]
        before = [n // 2 for n in total]
        after = [n - n // 2 for n in total]
    return c.add(
        "ConvTranspose",
        [c.tensor(0), c.tensor(1)],
        kernel_shape=kernel,
        strides=stride,
        dilations=dilation,
        group=int(c.attribute("group", c.attribute("groups", 1))),
        pads=[*before, *after],
        output_padding=beyond,
    )


CONVOLUTIONS: Mapping[str, Converter] = {
    "Conv2D": _conv,
    "Conv3D": _conv,
    "DepthwiseConv2dNative": _conv,
    "Conv2DTranspose": _conv_transposed,
    "Conv2DBackpropInput": _conv_transposed,
    "Conv3DTranspose": _conv_transposed,
}
