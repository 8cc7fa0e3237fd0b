"""`zoohub demo`: the whole road, offline, on handwritten digits."""

from __future__ import annotations

import argparse

from zoohub.cli.output import Output

EXAMPLES = ("zoohub demo", "zoohub demo --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`zoohub demo` has no options of its own."""


def run(options: argparse.Namespace, output: Output) -> int:
    """Classify digits that the network never saw, and count how often it is right."""
    from zoohub.demo import run_demo
    from zoohub.settings import load_settings

    settings = load_settings()
    write = output.talk if output.as_json else output.data
    result = run_demo(settings, write=write)
    if output.as_json:
        output.json([result.to_json()])
    return 0
