"""`zoohub mirror`: a copy of the zoo for people who cannot reach it, or should not have to."""

from __future__ import annotations

import argparse
import re
from typing import Any

from zoohub.cli.mirror_actions import (
    add_to_mirror,
    make_key,
    prune_mirror,
    serve_mirror,
    sync_mirror,
    verify_mirror,
)
from zoohub.cli.options import count, jobs, path
from zoohub.cli.output import Output
from zoohub.cli.parser import Action, Parser, common_options

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

    def action(name: str, summary: str, run: Action, *, to: bool = True) -> argparse.ArgumentParser:
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

    syncing = action("sync", "fetch what a mirror lacks, and publish it", sync_mirror)
    syncing.add_argument(
        "patterns",
        nargs="*",
        metavar="PATTERN",
        help="as 'resnet*', yolov5, yolov5s@mindyolo",
    )
    syncing.add_argument("--task", help="only checkpoints for this task")
    syncing.add_argument("--format", help="only files of this format (ckpt, safetensors, …)")
    syncing.add_argument(
        "--max-size", type=size_of, metavar="SIZE", help="leave out larger files (500M, 2G)"
    )
    _add_signing(syncing)
    _add_jobs(syncing)
    syncing.add_argument("--dry-run", action="store_true", help="only say what would be fetched")

    verifying = action("verify", "hash every file and compare it with the manifest", verify_mirror)
    verifying.add_argument("--repair", action="store_true", help="fetch what is missing or wrong")
    _add_signing(verifying)
    _add_jobs(verifying)

    pruning = action("prune", "remove files that do not belong into the mirror", prune_mirror)
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

    adding = action(
        "add",
        "publish a fine-tuned run, or a model of your own index",
        add_to_mirror,
        to=False,
    )
    adding.add_argument("what", metavar="RUN|NAME", help="a run's folder, or a model")
    adding.add_argument("mirror", metavar="DEST", help="a folder, file: or s3:// URL")
    adding.add_argument("--name", help="the model's name in the mirror")
    adding.add_argument("--licence", help="the licence others may use it under")
    _add_signing(adding)

    serving = action(
        "serve", "serve a mirror's folder over http, to this machine only", serve_mirror
    )
    serving.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    serving.add_argument(
        "--port", type=count(0, 65535), default=8080, help="port, 0 for a free one (8080)"
    )

    keygen = action("keygen", "make a key to sign mirrors with", make_key, to=False)
    keygen.add_argument("file", type=path, metavar="FILE", help="where the private key goes")


class _Intermixed(Parser):
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
        "--sign", type=path, metavar="KEY", help="sign index and hashes with this private key"
    )


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=jobs, default=4, metavar="N", help="files at a time (4)")
