"""`zoohub list`: models, filtered and sorted."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from zoohub.cli.output import Output, human_size
from zoohub.describe import LEADING_METRICS, leading_metric, misfit, model_is_runnable, model_json
from zoohub.manifest.database import Summary
from zoohub.manifest.entry import Entry, NetworkSpec
from zoohub.manifest.index import Index
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings

if TYPE_CHECKING:
    from zoohub.store import Store

# Of the metrics outside LEADING_METRICS, those of which less is better.
ERRORS = frozenset(("mae", "mse", "rmse", "mape", "wer", "cer", "loss", "mr", "ids", "fid"))

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
    parser.add_argument("--sort", choices=("name", "metric", "size"), default="name")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N models")


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the models that fit, one a row."""
    settings = load_settings()
    index = open_index(settings)
    filters = {
        "task": options.task,
        "dataset": options.dataset,
        "source": options.source,
        "format": options.format,
        "mindspore": options.mindspore,
    }
    if options.sort == "name" and not output.as_json and not options.cached:
        summaries = index.summaries(options.pattern, **filters)
        fitting = (s for s in summaries if not options.runnable or _summary_runs(s))
        if output.width is None:
            if not _stream(islice(fitting, options.limit), output):
                _say_none(options, output)
            return 0
    # The table above is made without it: importing the store would be a third of its time.
    from zoohub.store import Store

    store = Store(settings.home)
    if output.as_json:
        output.json(model_json(entry, store) for entry in _chosen(index, options, filters, store))
        return 0
    wanted = [entry.model for entry in _chosen(index, options, filters, store)]
    rows = {s.model: s for s in index.summaries(options.pattern, **filters)}
    output.table(HEADER, [_row(rows[name]) for name in wanted])
    if wanted:
        output.talk(f"{len(wanted)} models; `zoohub info NAME` shows one")
    else:
        _say_none(options, output)
    return 0


def _say_none(options: argparse.Namespace, output: Output) -> None:
    """That nothing fits, and what a misspelt task or format may have been meant for."""
    from zoohub.manifest.reference import closest
    from zoohub.manifest.schema import FORMATS
    from zoohub.manifest.tasks import TASKS

    for name, value, known in (("task", options.task, TASKS), ("format", options.format, FORMATS)):
        if value is not None and value not in known:
            near = ", ".join(closest(value, known)) or ", ".join(sorted(known))
            output.talk(f"no {name} is called {value!r}; closest are {near}")
            return
    output.talk("no model fits; `zoohub list` without options shows every one")


HEADER = ("MODEL", "TASK", "DATASET", "METRIC", "SIZE", "FILES", "RUNS")


def _summary_runs(summary: Summary) -> bool:
    return summary.builder is not None and misfit(NetworkSpec(summary.builder)) is None


def _row(summary: Summary) -> tuple[str, ...]:
    metric = leading_metric(summary.metrics)
    return (
        summary.model,
        summary.task,
        summary.dataset or "-",
        f"{metric[0]} {metric[1]:g}" if metric else "-",
        human_size(summary.size),
        str(summary.checkpoints),
        "yes" if _summary_runs(summary) else "-",
    )


def _stream(summaries: Iterator[Summary], output: Output) -> int:
    """Rows as they come, which `| head` gets at once, with tabs; returns how many they were."""
    output.data("\t".join(HEADER))
    count = 0
    for summary in summaries:
        output.data("\t".join(_row(summary)))
        count += 1
    return count


def _chosen(
    index: Index, options: argparse.Namespace, filters: dict[str, str | None], store: Store
) -> Iterator[Entry]:
    """The models that pass the filters, in the order asked for."""
    entries = index.list(options.pattern, **filters)
    fitting = (
        entry
        for entry in entries
        if (not options.runnable or model_is_runnable(entry))
        and (not options.cached or any(store.has(c) for c in entry.checkpoints))
    )
    if options.sort == "name":
        return islice(fitting, options.limit)
    key = _by_metric if options.sort == "metric" else _by_size
    return islice(sorted(fitting, key=key), options.limit)


def _by_metric(entry: Entry) -> tuple[int, str, bool, float]:
    """The usual metrics first, best first within each; models without one last."""
    metric = leading_metric(entry.metrics)
    if metric is None:
        return (len(LEADING_METRICS) + 1, "", False, 0.0)
    name, value = metric
    if name not in LEADING_METRICS:
        return (len(LEADING_METRICS), name, False, value if name in ERRORS else -value)
    # All of these are shares; some publishers give them of 1, and a few without their point.
    percent = 100 * value if value <= 1 else value
    return (LEADING_METRICS.index(name), name, percent > 100, -percent)


def _by_size(entry: Entry) -> float:
    checkpoint = entry.checkpoint()
    size = checkpoint.size if checkpoint else None
    return float("inf") if size is None else float(size)
