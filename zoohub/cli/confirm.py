"""Asking before something is deleted."""

from __future__ import annotations

import argparse
import sys

from zoohub.cli.output import Output
from zoohub.errors import UsageError


def add_deleting_options(parser: argparse.ArgumentParser) -> None:
    """`--dry-run` and `-y`, for everything that deletes."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def confirmed(question: str, options: argparse.Namespace, output: Output) -> bool:
    """Whether to go on: `-y`, or a yes typed at the terminal.

    Raises:
        UsageError: nobody is there to be asked.
    """
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("this removes files; say -y to do so without being asked")
    output.talk(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
