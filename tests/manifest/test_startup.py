"""What a process that only reads the index has to import."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
before = set(sys.modules)  # a site may import things of its own at the start
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings
index = open_index(load_settings())
index.resolve("resnet50"), index.search("face"), next(index.list()), next(index.summaries())
heavy = {"mindspore", "numpy", "yaml", "requests", "tempfile", "gzip", "difflib", "hashlib"}
heavy |= {"zoohub.manifest.schema", "zoohub.manifest.family", "zoohub.manifest.interchange"}
print(sorted(heavy & (set(sys.modules) - before)))
"""


def test_reading_the_index_imports_nothing_that_only_building_needs() -> None:
    # The autouse fixture has put the compiled index into this home.
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
