"""Networks written for other runtimes: MINDIR, ONNX, AIR, safetensors, pth.

    nn.Cell --zoohub.graphs--> .mindir | .onnx --check--> difference

`export_network` is the way in; `convert_file` turns checkpoint files into each other without
MindSpore. A file carries its own description (`metadata`), which `read_metadata` gives back.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zoohub.exporting.converting import Conversion, convert_file
    from zoohub.exporting.export import export_network, export_with_report
    from zoohub.exporting.request import plan_export
    from zoohub.exporting.result import Export
    from zoohub.exporting.sequences import check_named
    from zoohub.graphs.metadata import Metadata, read_metadata

__all__ = [
    "Conversion",
    "Export",
    "Metadata",
    "check_named",
    "convert_file",
    "export_network",
    "export_with_report",
    "plan_export",
    "read_metadata",
]

_HOMES = {
    "Conversion": "exporting.converting",
    "convert_file": "exporting.converting",
    "Export": "exporting.result",
    "export_network": "exporting.export",
    "export_with_report": "exporting.export",
    "Metadata": "graphs.metadata",
    "read_metadata": "graphs.metadata",
    "plan_export": "exporting.request",
    "check_named": "exporting.sequences",
}


def __getattr__(name: str) -> Any:
    """Import the module of a name when it is first asked for: `convert` needs no MindSpore."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"zoohub.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
