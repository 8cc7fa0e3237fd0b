"""Checkpoint files: read without MindSpore, renamed, planned, and put into a network.

    file --open_checkpoint--> Weights --plan_apply--> Plan --cell.apply_plan--> nn.Cell

Only `zoohub.checkpoint.cell` imports MindSpore. What a module needs of NumPy is imported when a
name is first asked for: layouts are read by commands that need no array.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zoohub.checkpoint.ckpt import write_ckpt
    from zoohub.checkpoint.detecting import detect_layout
    from zoohub.checkpoint.naming import rename
    from zoohub.checkpoint.opening import load_weights, open_checkpoint
    from zoohub.checkpoint.planning import LoadReport, Plan, plan_apply
    from zoohub.checkpoint.pth import write_pth
    from zoohub.checkpoint.safetensors import write_safetensors
    from zoohub.checkpoint.weights import TensorInfo, Weights

__all__ = [
    "LoadReport",
    "Plan",
    "TensorInfo",
    "Weights",
    "detect_layout",
    "load_weights",
    "open_checkpoint",
    "plan_apply",
    "rename",
    "write_ckpt",
    "write_pth",
    "write_safetensors",
]

_HOMES = {
    "LoadReport": "planning",
    "Plan": "planning",
    "TensorInfo": "weights",
    "Weights": "weights",
    "detect_layout": "detecting",
    "load_weights": "opening",
    "open_checkpoint": "opening",
    "plan_apply": "planning",
    "rename": "naming",
    "write_ckpt": "ckpt",
    "write_pth": "pth",
    "write_safetensors": "safetensors",
}


def __getattr__(name: str) -> Any:
    """Import the module of a name when it is first asked for."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"zoohub.checkpoint.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
