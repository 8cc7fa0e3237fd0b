"""Networks run on arrays by name, be they a Cell in memory, a MINDIR file or an ONNX file.

    runner = open_runner("resnet50.onnx")
    runner.run({"image": batch})  # {"logits": array}

A `Runner` is all that the rooms above see of a network.
"""

from zoohub.running.cell import CellRunner
from zoohub.running.mindir import MindIRRunner
from zoohub.running.onnx_file import OnnxRunner
from zoohub.running.opening import open_runner
from zoohub.running.runner import Array, Inputs, Mode, Outputs, Runner

__all__ = [
    "Array",
    "CellRunner",
    "Inputs",
    "MindIRRunner",
    "Mode",
    "OnnxRunner",
    "Outputs",
    "Runner",
    "open_runner",
]
