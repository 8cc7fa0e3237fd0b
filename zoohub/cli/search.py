"""`zoohub search`: models by words."""

from __future__ import annotations

import argparse

from zoohub.cli.options import count
from zoohub.cli.output import Output
from zoohub.manifest.opening import open_index
from zoohub.manifest.tasks import leading
from zoohub.models.describing import model_is_runnable, model_json
from zoohub.settings import load_settings

EXAMPLES = ('zoohub search "face detection"', "zoohub search arabic --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub search`."""
    parser.add_argument("text", nargs="+", metavar="TEXT", help="words; all must occur")
    parser.add_argument("--limit", type=count(), default=50, metavar="N", help="at most N (50)")


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the models found, best first; none is no error."""
    settings = load_settings()
    text = " ".join(options.text)
    index = open_index(settings)
    entries = index.search(text, limit=options.limit)
    if output.as_json:
        from zoohub.store import Store

        store = Store(settings.home)
        output.json(model_json(entry, store, index) for entry in entries)
        return 0
    rows = []
    for entry in entries:
        metric = leading(entry.metrics)
        default = entry.checkpoint()
        rows.append(
            (
                entry.model,
                entry.task,
                (default.dataset if default else None) or "-",
                f"{metric[0]} {metric[1]:g}" if metric else "-",
                "yes" if model_is_runnable(entry, index) else "-",
            )
        )
    output.table(("MODEL", "TASK", "DATASET", "METRIC", "RUNS"), rows)
    if not rows:
        output.talk(f"nothing found for {text!r}; `zoohub list` shows every model")
    return 0
