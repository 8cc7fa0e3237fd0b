"""`zoohub`: find the verb, run it, turn errors into one line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from zoohub._version import __version__
from zoohub.cli import interrupt
from zoohub.cli.output import Output, OutputError
from zoohub.cli.parser import Parser, add_common_options, common_options
from zoohub.cli.streams import abandon, prepare
from zoohub.core import notes
from zoohub.errors import UsageError, ZoohubError
from zoohub.settings import asked


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: its module in `zoohub.cli`, one line of help, and the names people guess."""

    module: str
    summary: str
    aliases: tuple[str, ...] = ()


VERBS: dict[str, Verb] = {
    "list": Verb("list_", "models, filtered and sorted", ("ls",)),
    "search": Verb("search", "models by words"),
    "info": Verb("info", "one model's card: checkpoints, hashes, metrics, licence", ("show",)),
    "inspect": Verb("inspect_", "the parameters in a checkpoint"),
    "download": Verb("download", "fetch and verify checkpoints; print their paths", ("pull",)),
    "predict": Verb("predict", "what a network makes of pictures or of text, by its task"),
    "finetune": Verb("finetune", "adapt a network to data of your own", ("train",)),
    "eval": Verb("eval_", "measure a network on data of which the truth is known", ("validate",)),
    "export": Verb("export", "write a network as MINDIR, ONNX, AIR, safetensors or pth"),
    "convert": Verb("convert", "a checkpoint file in another format or naming scheme"),
    "lock": Verb("lock", "write down which bytes names mean, to hold downloads to them"),
    "index": Verb("index", "build, check, compare and extend indexes"),
    "cache": Verb("cache", "the files kept on this machine"),
    "mirror": Verb("mirror", "make, check, serve and sign a copy of the zoo for others"),
    "doctor": Verb("doctor", "check this machine and its settings"),
    "completion": Verb("completion", "what bash, zsh or fish needs to complete all this"),
    "demo": Verb("demo", "the whole road, offline, on handwritten digits"),
}

# Commands that do nothing without one of their actions: by themselves they say which there are.
WITH_ACTIONS = ("cache", "index", "mirror")

_EPILOG = """examples:
  zoohub demo
  zoohub search "face detection"
  zoohub info yolov5
  p=$(zoohub download resnet50)
  zoohub predict resnet50 cat.jpg --top 3
"""


def entry_point() -> NoReturn:
    """The console script."""
    # Collecting garbage is a tenth of a short command's time, and there is hardly any.
    gc.set_threshold(50_000)
    gc.disable()  # until `main` has imported what the command needs
    prepare()
    interrupt.install()
    try:
        interrupt.end(_finished(main(sys.argv[1:])))
    except KeyboardInterrupt:
        interrupt.leave()


def _finished(code: int) -> int:
    """The exit code, once all of stdout is written."""
    try:
        Output().flush()
    except BrokenPipeError:
        return _broken_pipe()
    except ZoohubError as error:
        abandon(1)
        Output().error(str(error))
        return code or error.exit_code
    return code


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    given, arguments = [*arguments], _meant(arguments)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    try:
        if verb is not None and (wrong := _misplaced(arguments, verb) or _no_such(verb)):
            Output().error(wrong)
            return UsageError.exit_code
        parser = build_parser(arguments)
        if verb is None and not {"-h", "--help", "--version"} & set(arguments):
            parser.print_help()
            return UsageError.exit_code
        options, left = parser.parse_known_args(arguments)
        if left:
            options.parser.take(left, options)
    except SystemExit as stop:  # argparse has printed the help or the usage error
        alone = arguments != given and "help" not in given
        return UsageError.exit_code if alone else int(stop.code or 0)
    except BrokenPipeError:
        return _broken_pipe()
    except OutputError as error:
        abandon(1)
        Output().error(str(error))
        return error.exit_code
    # Pillow's own word on large pictures; zoohub has a limit, and one line for it.
    warnings.filterwarnings("ignore", message=r"Image size \(\d+ pixels\) exceeds limit")
    output = Output(as_json=options.json, quiet=options.quiet, verbose=options.verbose)
    notes.listener = output.talk
    if not gc.isenabled():
        gc.freeze()  # modules stay: no collection need look at them
        gc.enable()
    try:
        with asked(offline=True) if options.offline else contextlib.nullcontext():
            return int(options.run(options, output))
    except BrokenPipeError:
        return _broken_pipe()
    except KeyboardInterrupt:
        output.error(interrupt.LINE)
        return interrupt.STATUS
    except OutputError as error:
        abandon(1)
        output.error(str(error))
        return error.exit_code
    except Exception as error:
        if interrupt.came():  # some libraries make an error of their own of the KeyboardInterrupt
            output.error(interrupt.LINE)
            return interrupt.STATUS
        if options.debug or not isinstance(error, ZoohubError):
            raise
        output.error(str(error))
        return error.exit_code
    finally:
        notes.listener = None


def _meant(arguments: Sequence[str]) -> list[str]:
    """`zoohub help`, `zoohub help VERB` and a command without its action, as what they mean."""
    words = list(arguments)
    plain = [word for word in words if not word.startswith("-")]
    if plain[:1] == ["help"]:
        words.remove("help")
        return [*words, "--help"]
    if len(plain) == 1 and plain[0] in WITH_ACTIONS and not {"-h", "--help"} & set(words):
        return [*words, "--help"]
    return words


def _known(word: str | None) -> bool:
    return any(word in (name, *verb.aliases) for name, verb in VERBS.items())


def _misplaced(arguments: Sequence[str], verb: str) -> str | None:
    """What is wrong with an option before the verb: only those that every command has stand there.
    (The value of another, `--top 1 predict`, would be taken for the verb.)"""
    before = [word.partition("=")[0] for word in arguments[: arguments.index(verb)]]
    if not before:
        return None
    left = common_options().parse_known_args(before)[1]
    option = next((word for word in left if word not in ("-h", "--help", "--version", "--")), None)
    if option is None:
        return None
    command = next(filter(_known, arguments), "COMMAND")
    return (
        f"{option} is no option of every command; those of one stand behind its name: "
        f"`zoohub {command} … {option}`, see `zoohub {command} --help`"
    )


def _no_such(verb: str) -> str | None:
    if _known(verb):
        return None
    from zoohub.manifest.reference import closest

    near = closest(verb, VERBS, limit=3)
    hint = f"; closest are {', '.join(near)}" if near else ""
    return f"no command is called {verb!r}{hint}. `zoohub --help` shows them all"


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for this command line: only the verb that is named has its options loaded."""
    parser = Parser(
        prog="zoohub",
        description="MindSpore's published networks: find, verify, load, fine-tune, export.",
        epilog=_EPILOG,
        parents=[common_options()],
    )
    parser.add_argument("--version", action="version", version=f"zoohub {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    named = next((word for word in arguments if not word.startswith("-")), None)
    before = arguments[: arguments.index(named)] if named is not None else arguments
    everything = not _known(named) or {"-h", "--help"} & set(before)
    for name, verb in VERBS.items():
        aliases = list(verb.aliases)
        if named not in (name, *aliases):
            if not everything:  # a parser takes a millisecond to make
                continue
            commands.add_parser(name, aliases=aliases, help=verb.summary, add_help=False)
            continue
        sub = commands.add_parser(
            name,
            aliases=aliases,
            help=verb.summary,
            description=verb.summary[0].upper() + verb.summary[1:] + ".",
        )
        module = importlib.import_module(f"zoohub.cli.{verb.module}")
        module.add_arguments(sub)
        declare = getattr(module, "add_task_arguments", None)
        if declare is not None and sub.lacks_an_option(arguments):
            declare(sub)
        add_common_options(sub, argparse.SUPPRESS)  # after the command's own, in its help too
        sub.epilog = "examples:\n" + "".join(f"  {line}\n" for line in module.EXAMPLES)
        sub.set_defaults(run=module.run)
    return parser


def _broken_pipe() -> int:
    """The reader of stdout has gone (`zoohub list | head`): not an error."""
    abandon(1)
    return 0
