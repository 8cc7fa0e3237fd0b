"""MindSpore Lite: its converter's command line, run where the converter is installed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from zoohub.errors import ExportError

CONVERTER = "converter_lite"


def lite_command(model: Path) -> tuple[str, ...]:
    """The command that turns a .mindir or .onnx file into a .ms beside it."""
    return (
        CONVERTER,
        f"--fmk={'ONNX' if model.suffix.lower() == '.onnx' else 'MINDIR'}",
        f"--modelFile={model}",
        f"--outputFile={model.with_suffix('')}",  # the converter appends .ms
    )


def convert_to_lite(model: Path) -> Path:
    """Run the converter.

    Raises:
        ExportError: it is not on the PATH (the message has the command), or it fails.
    """
    command = lite_command(model)
    converter = shutil.which(CONVERTER)
    if converter is None:
        raise ExportError(
            f"{CONVERTER} is not on the PATH; install MindSpore Lite, then run: "
            f"{shlex.join(command)}"
        )
    done = subprocess.run([converter, *command[1:]], capture_output=True, text=True, check=False)
    target = model.with_suffix(".ms")
    if done.returncode or not target.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ExportError(
            f"{shlex.join(command)} failed with code {done.returncode}: {' '.join(said[-3:])}"
        )
    return target
