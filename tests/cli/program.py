"""The command line as a process, as a person or a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys


def zoohub(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `zoohub ARGUMENTS`, with more of an environment; its two streams are kept as text."""
    code = "from zoohub.cli.main import entry_point; entry_point()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        encoding=environ.get("PYTHONIOENCODING", "utf-8"),
        check=False,
    )
