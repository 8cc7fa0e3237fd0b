"""`zoohub cache`: the files kept on this machine."""

from __future__ import annotations

import argparse

from zoohub.cli.output import Output
from zoohub.settings import load_settings

EXAMPLES = ("zoohub cache dir",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `zoohub cache`."""
    parser.add_argument("action", choices=("dir",), help="what to do")


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the store's folder."""
    settings = load_settings()
    if output.as_json:
        output.json([{"dir": str(settings.home)}])
    else:
        output.data(str(settings.home))
    return 0
