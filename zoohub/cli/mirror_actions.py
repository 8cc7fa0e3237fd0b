"""What each action of `zoohub mirror` does and says."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zoohub.cli import interrupt
from zoohub.cli.mirror_choice import chosen
from zoohub.cli.output import Output, human_size
from zoohub.cli.several import Failure, exit_code, report
from zoohub.core.counting import counted
from zoohub.core.escaping import shown
from zoohub.errors import IntegrityError, MirrorError, UnknownModel, UsageError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.opening import open_index
from zoohub.mirror.prune import PruneReport, prune
from zoohub.mirror.publish import Publisher
from zoohub.mirror.selection import INDEX
from zoohub.mirror.sync import SyncOptions, SyncReport, sync
from zoohub.mirror.target import Folder, open_target
from zoohub.mirror.verify import VerifyReport, repair, verify
from zoohub.settings import Settings, load_settings
from zoohub.transfer.progress import Bar, Progress, Silent

if TYPE_CHECKING:
    from zoohub.mirror.adding import Contribution


def sync_mirror(options: argparse.Namespace, output: Output) -> int:
    """Fetch what the mirror lacks, and publish it."""
    settings = load_settings()
    target = open_target(options.mirror)
    publisher = _publisher(options)
    selection, documents = chosen(settings, options)
    done = sync(
        target,
        selection,
        documents,
        settings,
        publisher,
        SyncOptions(options.jobs, options.max_size, options.dry_run),
        progress=_progress(output),
    )
    if options.dry_run:
        return _tell_plan(done, output)
    failures = [Failure(reference, error) for reference, error in done.failures]
    rows: list[dict[str, Any]] = [
        *({"reference": r, "action": "fetched", "error": None} for r in done.fetched),
        *({"reference": r, "action": "linked", "error": None} for r in done.linked),
        *({"reference": f.item, "action": None, "error": str(f.error)} for f in failures),
    ]
    if output.as_json:
        output.json(rows)
    count = len(done.fetched) + len(done.linked)
    kept = len(selection.wanted) - count - len(failures)
    output.talk(
        f"{target.name}: {counted(count, 'file')} added ({human_size(done.size)}), "
        f"{kept} up to date, {_left_out(done, output)}; serial {done.serial}"
        + ("" if done.published else ", nothing to publish")
    )
    # What was here before counts: a mirror that lacks one file of a thousand is partly done.
    report(failures, count + kept, output)
    return exit_code(failures, count + kept)


def _tell_plan(done: SyncReport, output: Output) -> int:
    rows = [
        {"reference": w.checkpoint.reference, "path": w.path, "size": w.checkpoint.size}
        for w in (*done.plan.fetch, *done.plan.check)
    ]
    if output.as_json:
        output.json(rows)
    else:
        for row in rows:
            output.data(f"{row['path']}")
    known = [size for row in rows if isinstance(size := row["size"], int)]
    unknown = len(rows) - len(known)
    sizes = [human_size(sum(known))] if known or not rows else []
    sizes += [f"{unknown} of unknown size"] if unknown else []
    output.talk(
        f"{counted(len(rows), 'file')} to fetch ({', and '.join(sizes)}), "
        f"{len(done.plan.current)} up to date, {_left_out(done, output)}"
    )
    return 0


def _left_out(done: SyncReport, output: Output) -> str:
    """How many were left out, and why where all were for one reason; `-v` names each."""
    for skipped in done.skipped:
        output.detail(f"left out {skipped.reference}: {skipped.reason}")
    reasons = {skipped.reason for skipped in done.skipped}
    if not reasons:
        return "0 left out"
    why = reasons.pop() if len(reasons) == 1 else f"for {len(reasons)} reasons"
    return f"{len(done.skipped)} left out ({why}; -v names them)"


def verify_mirror(options: argparse.Namespace, output: Output) -> int:
    """Compare every file with the manifest; repair on request."""
    settings = load_settings()
    target = open_target(options.mirror)
    jobs, progress = options.jobs, _progress(output)
    if options.repair:
        found = repair(target, settings, _publisher(options), jobs=jobs, progress=progress)
    else:
        found = verify(target, settings, jobs=jobs, progress=progress)
    _tell_verify(found, output)
    if found.signature:
        raise MirrorError(found.signature)
    if not found.is_sound:
        broken = len(found.missing) + len(found.damaged) - len(found.repaired)
        hint = "" if options.repair else "; `zoohub mirror verify --repair` fetches them again"
        failed = "".join(f"\n  {item}: {error}" for item, error in found.failures)
        raise IntegrityError(
            f"{target.name}: {counted(broken, 'file')} missing or damaged{hint}{failed}"
        )
    return 0


def _tell_verify(found: VerifyReport, output: Output) -> None:
    repaired = set(found.repaired)
    rows: list[dict[str, Any]] = [
        *(
            {"path": path, "state": "missing", "expected": None, "got": None}
            for path in found.missing
        ),
        *(
            {"path": d.path, "state": "damaged", "expected": d.expected.sha256, "got": d.got.sha256}
            for d in found.damaged
        ),
        *({"path": path, "state": "extra", "expected": None, "got": None} for path in found.extra),
    ]
    for row in rows:
        row["repaired"] = row["path"] in repaired
    if output.as_json:
        output.json(rows)
    else:
        for row in rows:
            output.data(f"{row['state']}{' (repaired)' if row['repaired'] else ''}  {row['path']}")
    output.talk(
        f"{found.good} good, {len(found.missing)} missing, {len(found.damaged)} damaged, "
        f"{len(found.extra)} extra"
        + (f"; {len(found.repaired)} repaired" if found.repaired else "")
        + ("; `zoohub mirror prune` removes extra files" if found.extra else "")
    )


def prune_mirror(options: argparse.Namespace, output: Output) -> int:
    """Remove what does not belong into the mirror."""
    target = open_target(options.mirror)

    def agree(plan: PruneReport) -> bool:
        return options.yes or _ask(
            f"Remove {counted(len(plan.paths), 'file')} ({human_size(plan.size)}) and "
            f"{counted(len(plan.models), 'model')} from {target.name}?"
        )

    done = prune(
        target,
        load_settings(),
        _publisher(options),
        keep=options.keep,
        dry_run=options.dry_run,
        agree=agree,
    )
    if done is None:
        output.talk("nothing removed")
        return 1
    if output.as_json:
        output.json({"path": path} for path in done.paths)
    else:
        for path in done.paths:
            output.data(path)
    verb = "would go" if options.dry_run else "removed"
    output.talk(
        f"{counted(len(done.paths), 'file')} ({human_size(done.size)}) and "
        f"{counted(len(done.models), 'model')} {verb}"
    )
    return 0


def _ask(question: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is there to say yes: give -y, or --dry-run to look")
    sys.stderr.write(shown(f"{question} [y/N] "))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def add_to_mirror(options: argparse.Namespace, output: Output) -> int:
    """Publish a run or a model of one's own."""
    from zoohub.mirror.adding import add

    settings = load_settings()
    reference = add(
        _contribution(options.what, settings),
        open_target(options.mirror),
        settings,
        _publisher(options),
        name=options.name,
        licence=options.licence,
    )
    if output.as_json:
        output.json([{"reference": reference, "index": f"{options.mirror}/{INDEX}"}])
    else:
        output.data(reference)
    output.talk(
        f"colleagues set ZOOHUB_MIRROR to the mirror and ZOOHUB_INDEX to its {INDEX}, then "
        f"`zoohub download {reference}`"
    )
    return 0


def _contribution(what: str, settings: Settings) -> Contribution:
    """A run's result, or a checkpoint that the index knows, as what goes into a mirror."""
    from zoohub.core.json_reader import parse_own, read_json_file
    from zoohub.manifest.codec import decode_entry
    from zoohub.mirror.adding import Contribution
    from zoohub.models.runs import RUN_FILE, is_run, open_run
    from zoohub.transfer import fetch

    if is_run(what) or what.startswith((".", "/", "~")):
        run = open_run(what)
        content = cast("dict[str, ModelRow]", read_json_file(run.path / RUN_FILE))
        return Contribution(content["model"], run.weights, run.classes)
    resolved = open_index(settings).resolve(what)
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        raise UnknownModel(f"{resolved.entry.model} has no published checkpoint to add")
    for layer, text in open_index(settings).documents(resolved.entry.model):
        document: ModelRow = parse_own(text)
        if decode_entry(document, layer).model == resolved.entry.model:
            chosen = [c for c in document.get("checkpoints", ()) if c["id"] == checkpoint.id]
            document["checkpoints"] = chosen
            return Contribution(document, fetch(checkpoint, settings))
    raise UnknownModel(f"{what}: the index no longer has it")


def serve_mirror(options: argparse.Namespace, output: Output) -> int:
    """Serve the mirror's folder until Ctrl-C."""
    from zoohub.mirror.server import make_server

    target = open_target(options.mirror)
    if not isinstance(target, Folder):
        raise UsageError(
            f"{options.mirror} is no folder; object stores serve their files themselves"
        )
    server = make_server(target.root, options.host, options.port, output.detail)
    with server:
        output.data(server.url)
        sys.stdout.flush()
        output.talk(f"serving {target.name}; set ZOOHUB_MIRROR={server.url} and stop with Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            interrupt.answered()
    return 0


def make_key(options: argparse.Namespace, output: Output) -> int:
    """Make a key pair; stdout has the public key."""
    from zoohub.mirror.keys import write_key

    public = write_key(options.file)
    if output.as_json:
        output.json([{"public": public, "private": str(options.file)}])
    else:
        output.data(public)
    output.talk(
        f"{options.file} is the private key: keep it, and show it nobody. Colleagues set "
        f"ZOOHUB_TRUSTED_KEYS={public}"
    )
    return 0


def _publisher(options: argparse.Namespace) -> Publisher:
    from zoohub.mirror.keys import read_key
    from zoohub.models.describing import model_is_runnable

    key = read_key(options.sign) if options.sign else None
    index = open_index(load_settings())
    return Publisher(runnable=partial(model_is_runnable, index=index), key=key)


def _progress(output: Output) -> Progress:
    return Silent() if output.quiet else Bar()
