"""`zoohub`: find the verb, run it, turn errors into one line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from zoohub._version import __version__
from zoohub.cli import interrupt
from zoohub.cli.output import Output, OutputError, terminal_columns
from zoohub.cli.streams import abandon, prepare
from zoohub.core import notes
from zoohub.errors import UsageError, ZoohubError
from zoohub.settings import asked

# What a command does, and its exit code.
Action: TypeAlias = Callable[[argparse.Namespace, Output], int]


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


class Parser(argparse.ArgumentParser):
    """An argument parser whose help keeps the examples' line breaks, and whose complaints are one
    line. Where only actions are missing (`zoohub cache`), it says which there are."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("formatter_class", _formatter)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.set_defaults(parser=self)  # the options tell whose they are

    def lacks_an_option(self, arguments: Sequence[str]) -> bool:
        """Whether there are options that it does not have yet: help may be one of them, and one
        that is cut short."""
        known = {*self._option_string_actions, *common_options()._option_string_actions}
        known -= {"-h", "--help"}
        return any(
            word.startswith("-") and word.partition("=")[0] not in known for word in arguments
        )

    def take(self, left: Sequence[str], options: argparse.Namespace) -> None:
        """Add what argparse has left over to its list of arguments, which that fills only once:
        with what stands before the first option."""
        lists = (one for one in self._actions if not one.option_strings and one.nargs in ("*", "+"))
        action = next(lists, None)
        # "-" is standard input, and after "--" there are no options.
        ended = left.index("--") if "--" in left else len(left)
        words = [*left[:ended], *left[ended + 1 :]]
        if action is None or any(word.startswith("-") and word != "-" for word in left[:ended]):
            self.refuse(words)
        setattr(options, action.dest, [*getattr(options, action.dest), *words])

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Say which of the arguments is none of its own, and what it may have been meant to be."""
        from zoohub.manifest.reference import closest

        option = next((word for word in unknown if word.startswith("-") and word != "-"), None)
        if option is None:
            self.error(f"there is no place for {' '.join(unknown)!r}")
        name = option.partition("=")[0]
        known = (word for word in self._option_string_actions if word.startswith("--"))
        near = closest(name, known, limit=3)
        hint = f"; closest: {', '.join(near)}" if near else ""
        self.error(f"there is no option {name}{hint}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and leave."""
        Output().error(f"{message}; `{self.prog} --help` shows how to use it")
        raise SystemExit(UsageError.exit_code)

    def _print_message(self, message: str, file: object = None) -> None:
        """Help and version; argparse would say nothing where they cannot be written."""
        Output().text(message)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """What lays help out. One is made for each option, and would import `shutil` for the width."""
    return argparse.RawDescriptionHelpFormatter(prog, width=terminal_columns(sys.stdout) - 2)


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
    if verb is not None and not _known(verb):
        Output().error(_no_such(verb))
        return UsageError.exit_code
    try:
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


def _no_such(verb: str) -> str:
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


def common_options(default: object = False) -> Parser:
    """The options that every command has, as a parent of its parser."""
    common = Parser(add_help=False)
    add_common_options(common, default)
    return common


def add_common_options(parser: argparse.ArgumentParser, default: object = False) -> None:
    """Declare the options that every command has.

    Everything below the first parser gives `argparse.SUPPRESS` as the default, so that an option
    may stand before the verb or after it.
    """
    group = parser.add_argument_group("everywhere")

    def flag(*names: str, help: str) -> None:
        group.add_argument(*names, action="store_true", default=default, help=help)

    flag("--json", help="print a JSON array")
    flag("-q", "--quiet", help="no talk, no progress")
    flag("-v", "--verbose", help="more talk")
    flag("--debug", help="show an error's traceback")
    flag("--offline", help="use only what is on this machine")


def _broken_pipe() -> int:
    """The reader of stdout has gone (`zoohub list | head`): not an error."""
    abandon(1)
    return 0
