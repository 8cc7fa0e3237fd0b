"""The index: which models there are, what their checkpoints are, and what a reference means.

`open_index(settings)` gives the `Index`; its `resolve`, `entry`, `list` and `search` answer with
the frozen dataclasses of `entry`. Nothing here imports MindSpore or touches the network, except
`remote`, which fetches an index when told to.
"""

from __future__ import annotations

from zoohub.manifest.database import Summary
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec, Record
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index

__all__ = [
    "Checkpoint",
    "Entry",
    "Index",
    "InputContract",
    "NetworkSpec",
    "Record",
    "Resolved",
    "Summary",
    "open_index",
]
