"""`zoohub list`: models, filtered and sorted."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

from zoohub.cli.options import count
from zoohub.cli.output import Output, human_size
from zoohub.errors import UsageError
from zoohub.manifest.database import PIPELINE, Summary
from zoohub.manifest.index import Index
from zoohub.manifest.opening import open_index
from zoohub.models.describing import model_is_runnable, model_json
from zoohub.networks.families import has_family
from zoohub.settings import Settings, load_settings

EXAMPLES = (
    "zoohub list 'resnet*'",
    "zoohub list --task object-detection --sort metric --limit 10",
    "zoohub list --runnable --json",
    "zoohub list --cached",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub list`."""
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="model names, with * and ?")
    parser.add_argument("--task", help="only this task, e.g. image-classification")
    parser.add_argument("--dataset", help="only checkpoints trained on this data set")
    parser.add_argument("--source", help="only this publisher, e.g. mindcv, mindyolo, models")
    parser.add_argument("--format", help="only this file format, e.g. ckpt, mindir")
    parser.add_argument("--mindspore", metavar="VERSION", help="trained with this version")
    parser.add_argument("--runnable", action="store_true", help="only networks zoohub has")
    parser.add_argument("--cached", action="store_true", help="only models in the store")
    parser.add_argument(
        "--sort", choices=("name", "metric", "size"), default="name", help="metric: the best first"
    )
    parser.add_argument("--limit", type=count(), metavar="N", help="at most N models")


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the models that fit, one a row."""
    _check_words(options)
    settings = load_settings()
    index = open_index(settings)
    fitting: dict[str, Any] = {
        "task": options.task,
        "dataset": options.dataset,
        "source": options.source,
        "format": options.format,
        "mindspore": options.mindspore,
        "order": options.sort,
        "only": _cached(index, settings) if options.cached else None,
    }
    if output.as_json:
        from zoohub.store import Store

        store = Store(settings.home)
        entries = (
            entry
            for entry in index.list(options.pattern, **fitting)
            if not options.runnable or model_is_runnable(entry, index)
        )
        output.json(model_json(entry, store, index) for entry in islice(entries, options.limit))
        return 0
    known = partial(_summary_runs, cache(has_family), index)  # most families were asked for before
    summaries = index.summaries(options.pattern, **fitting)
    wanted = (s for s in summaries if not options.runnable or known(s))
    rows = map(partial(_row, known=known), islice(wanted, options.limit))
    if output.width is None:
        count = _stream(rows, output)
    else:
        shown = list(rows)
        count = len(shown)
        output.table(HEADER, shown)
    if not count:
        output.talk("no model fits; `zoohub list` without options shows every one")
    elif output.width is not None:
        output.talk(f"{count} model{'s' if count > 1 else ''}; `zoohub info NAME` shows one")
    return 0


def _cached(index: Index, settings: Settings) -> list[str]:
    """The models of which the store has a file: asked for by what is there, since that is little.
    The table of all models is made without it: importing the store takes as long."""
    from zoohub.store import Store
    from zoohub.store.maintenance import list_hashes, list_refs

    store = Store(settings.home)
    refs = list_refs(store)
    found = index.having({*list_hashes(store)}, {ref.url for ref in refs})
    entries = {model: index.entry(model) for model in found}
    return [m for m, entry in entries.items() if any(map(store.has, entry.checkpoints))]


def _check_words(options: argparse.Namespace) -> None:
    """That there is such a task or format at all. Raises UsageError: it is misspelt; names the
    closest."""
    if options.task is None and options.format is None:
        return
    from zoohub.manifest.reference import closest, listed
    from zoohub.manifest.schema import FORMATS
    from zoohub.manifest.tasks import TASKS

    for name, value, known in (("task", options.task, TASKS), ("format", options.format, FORMATS)):
        if value is not None and value not in known:
            near = ", ".join(closest(value, known))
            hint = f"closest are {near}" if near else f"there are {listed(sorted(known))}"
            raise UsageError(f"no {name} is called {value!r}; {hint}")


HEADER = ("MODEL", "TASK", "DATASET", "METRIC", "SIZE", "FILES", "RUNS")


def _summary_runs(known: Callable[[str], bool], index: Index, summary: Summary) -> bool:
    if summary.builder == PIPELINE:
        return model_is_runnable(index.entry(summary.model), index)
    return summary.builder is not None and known(summary.builder)


def _row(summary: Summary, known: Callable[[Summary], bool]) -> tuple[str, ...]:
    model, task, dataset, metric, figure, size, checkpoints, _ = summary
    return (
        model,
        task,
        dataset or "-",
        "-" if figure is None else f"{metric} {figure:g}",
        human_size(size),
        str(checkpoints),
        "yes" if known(summary) else "-",
    )


def _stream(rows: Iterator[tuple[str, ...]], output: Output) -> int:
    """Rows as they come, a few at a time, with tabs; returns how many they were."""
    count = 0
    while some := list(islice(rows, 50)):
        output.rows(some if count else [HEADER, *some])
        count += len(some)
    return count
