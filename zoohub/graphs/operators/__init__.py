"""MindSpore's operators written as ONNX's: one small function each, found by operator name.

Covers what the networks of the zoo compile to, and the neighbours of those operators; among them
what `mindspore.onnx.export` lacks: run-time shapes, CumSum, adaptive pooling, InplaceAddExt,
HSwish, Unstack. Operands come as `Value`s in the order of MindSpore's operator definitions. A file
holds operators of one kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.graphs.operators.activations import ACTIVATIONS
from zoohub.graphs.operators.arithmetic import ARITHMETIC
from zoohub.graphs.operators.call import Call, Converter, Unsupported
from zoohub.graphs.operators.choosing import CHOOSING
from zoohub.graphs.operators.convolutions import CONVOLUTIONS
from zoohub.graphs.operators.logic import LOGIC
from zoohub.graphs.operators.norms import NORMS
from zoohub.graphs.operators.padding import PADDING
from zoohub.graphs.operators.parts import PARTS
from zoohub.graphs.operators.pooling import POOLING
from zoohub.graphs.operators.products import PRODUCTS
from zoohub.graphs.operators.questions import QUESTIONS
from zoohub.graphs.operators.recurrent import RECURRENT
from zoohub.graphs.operators.reductions import REDUCTIONS
from zoohub.graphs.operators.resizing import RESIZING
from zoohub.graphs.operators.shapes import SHAPES

__all__ = ["CONVERTERS", "Call", "Converter", "Unsupported", "find_converter"]

CONVERTERS: Mapping[str, Converter] = {
    **ACTIVATIONS,
    **ARITHMETIC,
    **CHOOSING,
    **CONVOLUTIONS,
    **LOGIC,
    **NORMS,
    **PADDING,
    **PARTS,
    **POOLING,
    **PRODUCTS,
    **QUESTIONS,
    **RECURRENT,
    **REDUCTIONS,
    **RESIZING,
    **SHAPES,
}


def find_converter(operator: str) -> Converter | None:
    """The converter of a MindSpore operator; a view is what it shows."""
    return CONVERTERS.get(operator) or CONVERTERS.get(operator.removesuffix("View"))
