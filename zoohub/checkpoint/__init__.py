"""Checkpoint files: read without MindSpore, renamed, planned, and put into a network.

    file --open_checkpoint--> Weights --plan_apply--> Plan --cell.apply_plan--> nn.Cell

Only `zoohub.checkpoint.cell` imports MindSpore.
"""

from zoohub.checkpoint.ckpt import write_ckpt
from zoohub.checkpoint.naming import detect_layout, rename
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
