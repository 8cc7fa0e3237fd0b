"""The parser of a command line: argparse, whose complaints are told in one line of our words."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from zoohub.cli.output import Output, terminal_columns
from zoohub.errors import UsageError

# What a command does, and its exit code.
Action: TypeAlias = Callable[[argparse.Namespace, Output], int]

# What argparse says of an argument, and how we say it.
_WORDS = (
    (r"^argument (\S+): ignored explicit argument '=?(.*)'$", r"\1 takes no value: leave =\2 out"),
    (r"^argument (\S+): expected one argument$", r"\1: the value is missing"),
    (r"^argument (\S+): invalid int value: (.*)$", r"\1 \2: a whole number is needed"),
    (r"^argument (\S+): invalid float value: (.*)$", r"\1 \2: a number is needed"),
    (r"^argument (\S+): ", r"\1: "),
)


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

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """That a value is one of the choices; argparse lists all of them and not the closest."""
        if action.choices is not None and value not in action.choices:
            from zoohub.core.values import unknown

            option = bool(action.option_strings)
            what = "choice" if option else str(action.metavar or action.dest).lower()
            said = unknown(str(value), map(str, action.choices), what)
            raise argparse.ArgumentError(action if option else None, said)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and leave."""
        for argparses, ours in _WORDS:
            message = re.sub(argparses, ours, message)
        end = "" if message.endswith("?") else ";"
        Output().error(f"{message}{end} `{self.prog} --help` shows how to use it")
        raise SystemExit(UsageError.exit_code)

    def _print_message(self, message: str, file: object = None) -> None:
        """Help and version; argparse would say nothing where they cannot be written."""
        Output().text(message)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """What lays help out. One is made for each option, and would import `shutil` for the width."""
    return argparse.RawDescriptionHelpFormatter(prog, width=terminal_columns(sys.stdout) - 2)


def common_options(default: object = False) -> Parser:
    """The options that every command has, as a parent of its parser."""
    common = Parser(prog="zoohub", add_help=False)
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
