"""Hatchling's build hook: a wheel carries the compiled index and the recipes.

Nothing is written into the source tree: the files are made in a temporary folder and included
from there. An editable install uses the checkout's own YAML, so it gets nothing.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IndexHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Compiles `index/` into `zoohub/_data/` of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a target is built."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        self._folder = tempfile.TemporaryDirectory(prefix="zoohub-build-")
        output = Path(self._folder.name)
        build = _import_build(root)
        for name in ("index.jsonl.gz", "index.sqlite"):
            report = build.build_index(root / "index", output / name)
            self.app.display_info(f"{name}: {report.models} models in {report.seconds:.1f} s")
            build_data["force_include"][str(output / name)] = f"zoohub/_data/{name}"
        for recipe in sorted((root / "recipes").rglob("*.yaml")):
            inside = recipe.relative_to(root / "recipes").as_posix()
            build_data["force_include"][str(recipe)] = f"zoohub/_data/recipes/{inside}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the artifact is written: the temporary files may go."""
        folder = getattr(self, "_folder", None)
        if folder is not None:
            folder.cleanup()


def _import_build(root: Path) -> ModuleType:
    """`zoohub.manifest.build` of the tree being built, not of a zoohub that is installed."""
    sys.path.insert(0, str(root))
    try:
        return importlib.import_module("zoohub.manifest.build")
    finally:
        sys.path.remove(str(root))
