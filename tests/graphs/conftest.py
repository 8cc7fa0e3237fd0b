"""The networks that exports are tried with."""

from tests.exporting.conftest import digits, home, load, onnxruntime, out

__all__ = ["digits", "home", "load", "onnxruntime", "out"]
