"""Height and width changed: interpolation, and channels that become pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Ref, Value
from zoohub.graphs.operators.call import Call, Converter
from zoohub.graphs.operators.parts import FAR


def _resize(c: Call, sizes: Value, scales: Value, **settings: object) -> Value:
    """To the sizes of the last axes, or by factors."""
    if sizes is None:
        factors = np.array([1.0, 1.0, *map(float, scales)], np.float32)
        return c.add("Resize", [c.tensor(0), "", c.build.constant(factors)], **settings)
    leading = c.build.add(
        "Slice", [c.build.add("Shape", [c.tensor(0)]), *map(c.build.ints, ([0], [2]))]
    )
    if isinstance(sizes, Ref):
        target = sizes.name if sizes.dtype == "int64" else c.cast(sizes.name, "int64")
    elif isinstance(sizes, np.ndarray):
        target = c.build.ints(sizes.reshape(-1).tolist())
    else:
        target = c.build.shape_vector(list(sizes))
    whole = c.build.add("Concat", [leading, target], axis=0)
    return c.add("Resize", [c.tensor(0), "", "", whole], **settings)


def _coordinates(aligned: bool, half_pixels: bool) -> str:
    """ONNX's name for where the pixels of the result lie in the source."""
    if aligned:
        return "align_corners"
    return "half_pixel" if half_pixels else "asymmetric"


def _smooth(mode: str, **settings: object) -> Converter:
    """(image, size, align_corners, half_pixel_centers)"""

    def convert(c: Call) -> Value:
        where = _coordinates(c.flag(2, "align_corners"), c.flag(3, "half_pixel_centers"))
        size = c.operands[1] if c.given(1) else c.attribute("size")
        # As TensorFlow, to three digits: MindSpore looks the weights up in a table.
        kernel = {"cubic_coeff_a": -0.5, "exclude_outside": 1} if where == "half_pixel" else {}
        return _resize(
            c,
            size,
            None,
            mode=mode,
            coordinate_transformation_mode=where,
            **(settings | kernel if mode == "cubic" else settings),
        )

    return convert


def _upsample(mode: str, **settings: object) -> Converter:
    """(x, size, factors, align_corners)"""

    def convert(c: Call) -> Value:
        size = c.operands[1] if c.given(1) else None
        factors = c.operands[2] if c.given(2) else None
        where = _coordinates(c.flag(3, "align_corners"), True)
        if where == "half_pixel":
            where = "pytorch_half_pixel"
        return _resize(
            c, size, factors, mode=mode, coordinate_transformation_mode=where, **settings
        )

    return convert


def _nearest(c: Call) -> Value:
    """(x, size, align_corners, half_pixel_centers); the pixel floor(y·H/H') by default."""
    aligned, half = c.flag(2, "align_corners"), c.flag(3, "half_pixel_centers")
    size = c.operands[1] if c.given(1) else c.attribute("size")
    return _resize(
        c,
        size,
        None,
        mode="nearest",
        coordinate_transformation_mode=_coordinates(aligned, half),
        nearest_mode="round_prefer_ceil" if aligned or half else "floor",
    )


def _upsample_nearest(c: Call) -> Value:
    size = c.operands[1] if c.given(1) else None
    factors = c.operands[2] if c.given(2) else None
    return _resize(
        c,
        size,
        factors,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _linear_1d(c: Call) -> Value:
    mode = str(c.attribute("coordinate_transformation_mode", "align_corners"))
    return _resize(c, c.operands[1], None, mode="linear", coordinate_transformation_mode=mode)


def _depth_to_space(c: Call) -> Value:
    block = int(c.attribute("block_size"))
    source = c.build.producers.get(c.tensor(0))
    # Four copies of one map spread over 2×2 pixels are an upsampling, which copies nothing twice.
    channels = source is not None and source.op_type == "Concat" and source.attribute[0].i == 1
    copies = list(source.input) if source is not None and channels else []
    if block == 2 and len(copies) == 4 and len(set(copies)) == 1:
        scales = c.build.constant(np.array([1, 1, block, block], np.float32))
        return c.add(
            "Resize",
            [copies[0], "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    return c.add("DepthToSpace", [c.tensor(0)], blocksize=block, mode="DCR")


def _pixel_shuffle(c: Call) -> Value:
    factor = int(c.value(1, "upscale_factor"))
    return c.add("DepthToSpace", [c.tensor(0)], blocksize=factor, mode="CRD")


def _space_to_depth(c: Call) -> Value:
    return c.add("SpaceToDepth", [c.tensor(0)], blocksize=int(c.attribute("block_size")))


def _patches(c: Call) -> Value:
    """Im2Col: (N, C, H, W) -> (N, C, kernel, places)."""
    kernel, stride, dilation = (
        list(c.attribute(name)) for name in ("ksizes", "strides", "dilations")
    )
    pads = c.attribute("pads", (0, 0))
    pads = [pads] if isinstance(pads, int) else list(pads)
    top, left = (pads * 2)[:2] if len(pads) < 4 else (pads[0], pads[2])
    b = c.build
    x = b.add("Pad", [c.tensor(0), b.ints([0, 0, top, left, 0, 0, top, left])])
    columns = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            starts = [i * dilation[0], j * dilation[1]]
            beyond = [(k - 1 - n) * d for k, n, d in zip(kernel, (i, j), dilation, strict=True)]
            ends = [-n if n else FAR for n in beyond]
            part = b.add("Slice", [x, b.ints(starts), b.ints(ends), b.ints([2, 3]), b.ints(stride)])
            columns.append(b.add("Reshape", [part, b.ints([0, 0, 1, -1])]))
    return c.add("Concat", columns, axis=2)


RESIZING: Mapping[str, Converter] = {
    "ResizeBilinear": _smooth("linear"),
    "ResizeBilinearV2": _smooth("linear"),
    "ResizeBicubic": _smooth("cubic", cubic_coeff_a=-0.75),
    "UpsampleBilinear2D": _upsample("linear"),
    "UpsampleLinear1D": _upsample("linear"),
    "UpsampleTrilinear3D": _upsample("linear"),
    "UpsampleBicubic2D": _upsample("cubic", cubic_coeff_a=-0.75),
    "ResizeNearestNeighbor": _nearest,
    "ResizeNearestNeighborV2": _nearest,
    "UpsampleNearest1D": _upsample_nearest,
    "UpsampleNearest2D": _upsample_nearest,
    "UpsampleNearest3D": _upsample_nearest,
    "ResizeLinear1D": _linear_1d,
    "DepthToSpace": _depth_to_space,
    "PixelShuffle": _pixel_shuffle,
    "SpaceToDepth": _space_to_depth,
    "Im2Col": _patches,
}
