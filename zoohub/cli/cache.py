"""`zoohub cache`: the files kept on this machine."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path

from zoohub.cli.confirm import add_deleting_options, confirmed
from zoohub.cli.options import jobs
from zoohub.cli.output import Output, human_size
from zoohub.cli.parser import Action, common_options
from zoohub.core.counting import counted, plural
from zoohub.errors import IntegrityError, StoreError, UnknownModel, UsageError, ZoohubError
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings
from zoohub.store import Store
from zoohub.store.compiled import forms_of, sweep_compiled
from zoohub.store.maintenance import (
    Item,
    is_form,
    list_items,
    list_remains,
    plan_prune,
    prune,
    remove_items,
)

EXAMPLES = (
    "zoohub cache list",
    "zoohub cache verify --repair",
    "zoohub cache prune --older-than 30d --max-size 20G --dry-run",
    "zoohub cache remove yolov5s",
    "zoohub cache clear --dry-run",
    "cd $(zoohub cache dir)",
)
_PERIODS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `zoohub cache`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def action(name: str, summary: str, run: Action, *aliases: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(
            name,
            aliases=aliases,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            parents=[common_options(argparse.SUPPRESS)],
        )
        sub.set_defaults(action=run)
        return sub

    action("dir", "print the folder", _dir)
    clearing = action("clear", "remove every file", _clear)
    add_deleting_options(clearing)
    action("list", "the files, their sizes, names and last use", _list, "ls")
    verifying = action("verify", "hash every file again", _verify)
    verifying.add_argument("--repair", action="store_true", help="fetch damaged pieces again")
    verifying.add_argument("--jobs", type=jobs, default=2, metavar="N", help="files at a time (2)")
    pruning = action("prune", "remove what has not been used for long, or is too much", _prune)
    pruning.add_argument("--older-than", metavar="TIME", help="not used since, e.g. 12h, 30d, 8w")
    pruning.add_argument("--max-size", metavar="SIZE", help="what may stay, e.g. 500M, 20G")
    add_deleting_options(pruning)
    removing = action("remove", "remove checkpoints by name", _remove, "rm")
    removing.add_argument("names", nargs="+", metavar="NAME", help="a model or checkpoint")
    add_deleting_options(removing)


def run(options: argparse.Namespace, output: Output) -> int:
    """Do the action."""
    return int(options.action(options, output))


def _dir(options: argparse.Namespace, output: Output) -> int:
    home = str(load_settings().home)
    if output.as_json:
        output.json([{"dir": home}])
    else:
        output.data(home)
    return 0


def _list(options: argparse.Namespace, output: Output) -> int:
    items = list_items(Store(load_settings().home))
    if output.as_json:
        output.json(_json(item) for item in items)
        return 0
    rows = [
        (
            human_size(item.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(item.used)),
            item.sha256[:12],
            ", ".join(item.names) or "-",
        )
        for item in reversed(items)
    ]
    output.table(("SIZE", "LAST USE", "SHA256", "NAMES"), rows)
    output.talk(f"{counted(len(items), 'file')}, {human_size(sum(item.size for item in items))}")
    return 0


def _verify(options: argparse.Namespace, output: Output) -> int:
    from zoohub.transfer.verify import repair, verify

    settings = load_settings()
    store = Store(settings.home)
    rows: list[dict[str, object]] = []
    broken = 0
    for checked in verify(store, list_items(store), jobs=options.jobs):
        item, state = checked.item, "intact" if checked.intact else "damaged"
        name = ", ".join(item.names) or item.path.name
        if not checked.intact:
            output.error(f"{name}: the file was damaged and is set aside in quarantine")
            if options.repair and is_form(item):
                store.forget_damaged(item.sha256)
                sweep_compiled(store)
                state = "removed"
                output.talk(f"{name}: removed; it is made again when it is needed")
            elif options.repair:
                try:
                    mended = repair(item, settings)
                    state = "repaired"
                    output.talk(f"{name}: repaired, {human_size(mended.fetched)} fetched")
                except ZoohubError as error:
                    output.error(str(error))
            broken += state == "damaged"
        rows.append({**_json(item), "state": state})
    if output.as_json:
        output.json(rows)
    output.talk(f"{counted(len(rows), 'file')} verified, {broken} damaged")
    return IntegrityError.exit_code if broken else 0


def _prune(options: argparse.Namespace, output: Output) -> int:
    if options.older_than is None and options.max_size is None:
        raise UsageError("say what may go: --older-than 30d, --max-size 20G, or both")
    older_than = None if options.older_than is None else parse_period(options.older_than)
    max_size = None if options.max_size is None else parse_size(options.max_size)
    store, now = Store(load_settings().home), time.time()
    plan = plan_prune(
        list_items(store),
        now=now,
        older_than=older_than,
        max_size=max_size,
        remains=list_remains(store, now=now),
    )
    _show_removal(plan.remove, plan.remains, output)
    if options.dry_run or not (plan.remove or plan.remains):
        output.talk(f"{human_size(plan.freed)} would be freed")
        return 0
    if not confirmed(f"remove {counted(len(plan.remove), 'file')}?", options, output):
        return 1
    output.talk(f"{human_size(prune(store, plan))} freed")
    return 0


def _remove(options: argparse.Namespace, output: Output) -> int:
    settings = load_settings()
    store, index = Store(settings.home), open_index(settings)
    by_hash = {item.sha256: item for item in list_items(store)}
    chosen: dict[str, Item] = {}
    for name in options.names:
        resolved = index.resolve(name)
        named = resolved.checkpoint if resolved.explicit else None
        hashes = [store.sha256_of(c) for c in ([named] if named else resolved.entry.checkpoints)]
        known = {h for h in hashes if h is not None}
        known |= forms_of(store, known)
        found = {h: by_hash[h] for h in sorted(known) if h in by_hash}
        if not found:
            raise UnknownModel(f"nothing of {name} is in the store; `zoohub cache list` shows it")
        chosen.update(found)
    _show_removal(tuple(chosen.values()), (), output)
    if options.dry_run:
        return 0
    if not confirmed(f"remove {counted(len(chosen), 'file')}?", options, output):
        return 1
    freed = remove_items(tuple(chosen.values()))
    sweep_compiled(store)
    left = [item for item in chosen.values() if item.path.exists()]
    if left:
        raise StoreError(f"{left[0].path} cannot be removed; check the folder's permissions")
    output.talk(f"{human_size(freed)} freed")
    return 0


def _clear(options: argparse.Namespace, output: Output) -> int:
    store = Store(load_settings().home)
    plan = plan_prune(list_items(store), now=time.time(), max_size=0)
    _show_removal(plan.remove, (), output)
    if options.dry_run or not plan.remove:
        output.talk(f"{human_size(plan.freed)} would be freed")
        return 0
    count = len(plan.remove)
    if not confirmed(
        f"remove {plural(count, 'the one file', f'all {count} files')}?", options, output
    ):
        return 1
    output.talk(f"{human_size(prune(store, plan))} freed")
    return 0


def _show_removal(items: Sequence[Item], remains: Sequence[Path], output: Output) -> None:
    if output.as_json:
        output.json(_json(item) for item in items)
        return
    for item in items:
        output.data(f"{human_size(item.size)}  {', '.join(item.names) or item.path.name}")
    for path in remains:
        output.data(f"remains of a download: {path.name}")


def _json(item: Item) -> dict[str, object]:
    return {
        "names": list(item.names),
        "path": str(item.path),
        "sha256": item.sha256,
        "size": item.size,
        "source": item.source,
        "used": item.used,
        "verified": item.verified,
    }


def parse_period(text: str) -> float:
    """`30d` in seconds; units are m, h, d and w.

    Raises:
        UsageError: it is no period.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no period; write e.g. 90m, 12h, 30d or 8w")
    return float(match[1]) * _PERIODS[match[2]]


def parse_size(text: str) -> int:
    """`20G` in bytes; units are K, M, G and T, powers of 1000.

    Raises:
        UsageError: it is no size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text.strip().upper())
    if match is None:
        raise UsageError(f"{text!r} is no size; write e.g. 500M or 20G")
    return int(float(match[1]) * _SIZES[match[2]])
