"""The tools that benchmarks compare zoohub with, where they are installed."""

from __future__ import annotations

import importlib.util
import shutil

# What a peer is, and how one gets it.
MODULES = {
    "mindcv": "pip install mindcv==0.3.0",
    "pooch": "pip install pooch",
    "safetensors": "pip install safetensors",
}
PROGRAMS = {
    "aria2c": "the Debian package aria2",
    "curl": "the Debian package curl",
    "nginx": "the Debian package nginx-light",
}


def is_here(peer: str) -> bool:
    """Whether the peer is installed; where it is not, says so and how to get it."""
    if peer in MODULES:
        found, cure = importlib.util.find_spec(peer) is not None, MODULES[peer]
    else:
        found, cure = shutil.which(peer) is not None, PROGRAMS[peer]
    if not found:
        print(f"{peer} is not installed ({cure}): what needs it is not measured", flush=True)
    return found
