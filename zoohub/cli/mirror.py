"""`zoohub mirror`: a copy of the zoo for people who cannot reach it, or should not have to."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.cli.main import common_options
from zoohub.cli.output import Output, human_size
from zoohub.cli.several import Failure, exit_code, report
from zoohub.errors import IntegrityError, MirrorError, UnknownModel, UsageError
from zoohub.manifest import Entry, open_index
from zoohub.mirror.prune import PruneReport, prune
from zoohub.mirror.publish import Publisher
from zoohub.mirror.selection import INDEX, Selection, fits, select
from zoohub.mirror.sync import SyncReport, sync
from zoohub.mirror.target import Folder, open_target
from zoohub.mirror.verify import VerifyReport, repair, verify
from zoohub.settings import Settings, load_settings
from zoohub.transfer.progress import Bar, Progress, Silent

if TYPE_CHECKING:
    from zoohub.mirror.adding import Contribution

EXAMPLES = (
    "zoohub mirror sync /srv/zoo 'resnet*' 'yolov5*' --max-size 500M",
    "zoohub mirror sync s3://bucket/zoo --task object-detection --jobs 8",
    "zoohub mirror keygen zoo.key",
    "zoohub mirror sync /srv/zoo --sign zoo.key",
    "zoohub mirror add runs/flowers /srv/zoo",
    "zoohub mirror verify /srv/zoo --repair",
    "zoohub mirror prune /srv/zoo --keep 'resnet*' --dry-run",
    "zoohub mirror serve /srv/zoo --port 8080",
)

_UNITS = {"": 1, "B": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `zoohub mirror`."""
    actions: Any = parser.add_subparsers(
        metavar="ACTION", required=True, dest="action", parser_class=_Intermixed
    )

    def action(name: str, summary: str, run: Any, *, to: bool = True) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = actions.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            parents=[common_options(argparse.SUPPRESS)],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog="examples:\n" + "\n".join(f"  {e}" for e in EXAMPLES if f" {name} " in e),
        )
        if to:
            sub.add_argument("mirror", metavar="DEST", help="a folder, file: or s3:// URL")
        sub.set_defaults(act=run)
        return sub

    syncing = action("sync", "fetch what a mirror lacks, and publish it", _sync)
    syncing.add_argument("patterns", nargs="*", metavar="PATTERN", help="models, as 'resnet*'")
    syncing.add_argument("--task", help="only checkpoints for this task")
    syncing.add_argument("--format", help="only files of this format (ckpt, safetensors, …)")
    syncing.add_argument(
        "--max-size", type=size_of, metavar="SIZE", help="leave out larger files (500M, 2G)"
    )
    _add_signing(syncing)
    _add_jobs(syncing)
    syncing.add_argument("--dry-run", action="store_true", help="only say what would be fetched")

    verifying = action("verify", "hash every file and compare it with the manifest", _verify)
    verifying.add_argument("--repair", action="store_true", help="fetch what is missing or wrong")
    _add_signing(verifying)
    _add_jobs(verifying)

    pruning = action("prune", "remove files that do not belong into the mirror", _prune)
    pruning.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="PATTERN",
        help="also remove the models that fit none of these",
    )
    _add_signing(pruning)
    pruning.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    pruning.add_argument("-y", "--yes", action="store_true", help="do not ask")

    adding = action("add", "publish a fine-tuned run, or a model of your own index", _add, to=False)
    adding.add_argument("what", metavar="RUN|NAME", help="a run's folder, or a model")
    adding.add_argument("mirror", metavar="DEST", help="a folder, file: or s3:// URL")
    adding.add_argument("--name", help="the model's name in the mirror")
    adding.add_argument("--licence", help="the licence others may use it under")
    _add_signing(adding)

    serving = action("serve", "serve a mirror's folder over http, to this machine only", _serve)
    serving.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    serving.add_argument("--port", type=int, default=8080, help="port, 0 for a free one (8080)")

    keygen = action("keygen", "make a key to sign mirrors with", _keygen, to=False)
    keygen.add_argument("file", type=Path, metavar="FILE", help="where the private key goes")


class _Intermixed(argparse.ArgumentParser):
    """Lets options stand between DEST and the patterns, which argparse by itself does not."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse options first, what is left as positionals."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def run(options: argparse.Namespace, output: Output) -> int:
    """Do the action."""
    return int(options.act(options, output))


def size_of(text: str) -> int:
    """A size such as `500M` or `2GB` in bytes (powers of 1000)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 500M or 2G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def _add_signing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sign", type=Path, metavar="KEY", help="sign index and hashes with this private key"
    )


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="files at a time (4)")


def _sync(options: argparse.Namespace, output: Output) -> int:
    settings = load_settings()
    jobs = _jobs(options)
    target = open_target(options.mirror)
    publisher = _publisher(options)
    selection, documents = _chosen(settings, options)
    done = sync(
        target,
        selection,
        documents,
        settings,
        publisher,
        jobs=jobs,
        max_size=options.max_size,
        dry_run=options.dry_run,
        progress=_progress(output),
    )
    if options.dry_run:
        return _tell_plan(done, output)
    for skipped in done.skipped:
        output.detail(f"left out {skipped.reference}: {skipped.reason}")
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
        f"{target.name}: {_count(count, 'file')} added ({human_size(done.size)}), "
        f"{kept} up to date, {len(done.skipped)} left out; serial {done.serial}"
        + ("" if done.published else ", nothing to publish")
    )
    # What was here before counts: a mirror that lacks one file of a thousand is partly done.
    report(failures, count + kept, output)
    return exit_code(failures, count + kept)


def _chosen(
    settings: Settings, options: argparse.Namespace
) -> tuple[Selection, dict[str, dict[str, Any]]]:
    """The checkpoints asked for, and the compiled models they belong to."""
    from zoohub.manifest.codec import decode_entry

    index = open_index(settings)
    documents: dict[str, dict[str, Any]] = {}

    def entries() -> Iterator[Entry]:
        for layer, text in index.documents(task=options.task, format=options.format):
            document = json.loads(text)
            if fits(document["model"], options.patterns):
                documents[document["model"]] = document
                yield decode_entry(document, layer)

    selection = select(
        entries(), format=options.format, task=options.task, max_size=options.max_size
    )
    unmatched = [p for p in options.patterns if not any(fits(m, [p]) for m in documents)]
    if unmatched:
        raise UnknownModel(
            f"no model fits {', '.join(map(repr, unmatched))}; `zoohub list` shows their names"
        )
    return selection, documents


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
    known = sum(row["size"] or 0 for row in rows)  # type: ignore[misc]
    unknown = sum(1 for row in rows if row["size"] is None)
    output.talk(
        f"{_count(len(rows), 'file')} to fetch ({human_size(known)}"
        + (f", and {unknown} of unknown size" if unknown else "")
        + f"), {len(done.plan.current)} up to date, {len(done.skipped)} left out"
    )
    return 0


def _verify(options: argparse.Namespace, output: Output) -> int:
    settings = load_settings()
    target = open_target(options.mirror)
    jobs, progress = _jobs(options), _progress(output)
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
            f"{target.name}: {_count(broken, 'file')} missing or damaged{hint}{failed}"
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


def _prune(options: argparse.Namespace, output: Output) -> int:
    target = open_target(options.mirror)

    def agree(plan: PruneReport) -> bool:
        return options.yes or _ask(
            f"Remove {_count(len(plan.paths), 'file')} ({human_size(plan.size)}) and "
            f"{_count(len(plan.models), 'model')} from {target.name}?"
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
        f"{_count(len(done.paths), 'file')} ({human_size(done.size)}) and "
        f"{_count(len(done.models), 'model')} {verb}"
    )
    return 0


def _ask(question: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is there to say yes: give -y, or --dry-run to look")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _add(options: argparse.Namespace, output: Output) -> int:
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
    from zoohub.manifest.codec import decode_entry
    from zoohub.mirror.adding import Contribution
    from zoohub.training.saved import RUN_FILE, is_run, open_run
    from zoohub.transfer import fetch

    if is_run(what) or what.startswith((".", "/", "~")):
        run = open_run(what)
        document = json.loads((run.path / RUN_FILE).read_text(encoding="utf-8"))["model"]
        return Contribution(document, run.weights, run.classes)
    resolved = open_index(settings).resolve(what)
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        raise UnknownModel(f"{resolved.entry.model} has no published checkpoint to add")
    for layer, text in open_index(settings).documents(resolved.entry.model):
        document = json.loads(text)
        if decode_entry(document, layer).model == resolved.entry.model:
            chosen = [c for c in document["checkpoints"] if c["id"] == checkpoint.id]
            return Contribution({**document, "checkpoints": chosen}, fetch(checkpoint, settings))
    raise UnknownModel(f"{what}: the index no longer has it")


def _serve(options: argparse.Namespace, output: Output) -> int:
    from zoohub.mirror.server import make_server

    target = open_target(options.mirror)
    if not isinstance(target, Folder):
        raise UsageError(
            f"{options.mirror} is no folder; object stores serve their files themselves"
        )
    if not 0 <= options.port < 65536:
        raise UsageError(f"--port {options.port} is no port")
    server = make_server(target.root, options.host, options.port, output.detail)
    with server:
        output.data(server.url)
        sys.stdout.flush()
        output.talk(f"serving {target.name}; set ZOOHUB_MIRROR={server.url} and stop with Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _keygen(options: argparse.Namespace, output: Output) -> int:
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


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _publisher(options: argparse.Namespace) -> Publisher:
    from zoohub.describe import model_is_runnable
    from zoohub.mirror.keys import read_key

    key = read_key(options.sign) if options.sign else None
    return Publisher(runnable=model_is_runnable, key=key)


def _progress(output: Output) -> Progress:
    return Silent() if output.quiet else Bar()


def _jobs(options: argparse.Namespace) -> int:
    if not 1 <= options.jobs <= 64:
        raise UsageError(f"--jobs {options.jobs}: write a number from 1 to 64")
    return int(options.jobs)
