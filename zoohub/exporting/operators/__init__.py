"""MindSpore's operators written as ONNX's: one small function each, found by operator name.

Covers what zoohub's networks compile to, and the neighbours of those operators; among them what
`mindspore.onnx.export` lacks: run-time shapes, CumSum, AdaptiveAvgPool2D, InplaceAddExt, HSwish,
Unstack. Operands come as `Value`s in the order of MindSpore's operator definitions.
"""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.exporting.operators.axes import AXES
from zoohub.exporting.operators.call import Call, Converter, Unsupported
from zoohub.exporting.operators.elementwise import ELEMENTWISE
from zoohub.exporting.operators.layers import LAYERS
from zoohub.exporting.operators.shapes import SHAPES

__all__ = ["CONVERTERS", "Call", "Converter", "Unsupported"]

CONVERTERS: Mapping[str, Converter] = {**SHAPES, **LAYERS, **ELEMENTWISE, **AXES}
