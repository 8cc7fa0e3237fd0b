"""`zoohub demo`: the whole road, offline, on handwritten digits."""

from __future__ import annotations

import argparse

from zoohub.cli.output import Output

EXAMPLES = ("zoohub demo", "zoohub demo --pictures .", "zoohub demo --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the option of `zoohub demo`."""
    parser.add_argument(
        "--pictures", metavar="DIR", help="put the demo's pictures there, to try other commands on"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Classify digits that the network never saw, and count how often it is right."""
    from zoohub.core.paths import local_path
    from zoohub.demo import put_pictures, run_demo
    from zoohub.settings import load_settings

    settings = load_settings()
    if options.pictures is not None:
        paths = put_pictures(local_path(options.pictures))
        output.talk(f"{len(paths)} pictures are now in {paths[0].parent}")

    def lines(text: str) -> None:
        for line in text.split("\n"):
            output.data(line)

    result = run_demo(settings, write=output.talk if output.as_json else lines)
    if output.as_json:
        output.json([result.to_json()])
    return 0
