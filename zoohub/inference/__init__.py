"""Networks run on NumPy arrays, and pictures predicted with them."""

from zoohub.inference.predict import predict_inputs
from zoohub.inference.results import Label, Prediction
from zoohub.inference.runner import (
    CellRunner,
    MapsRunner,
    MindIRRunner,
    OnnxRunner,
    Runner,
    open_runner,
)

__all__ = [
    "CellRunner",
    "Label",
    "MapsRunner",
    "MindIRRunner",
    "OnnxRunner",
    "Prediction",
    "Runner",
    "open_runner",
    "predict_inputs",
]
