"""Options of tasks as fields of frozen dataclasses, from which the command line is made."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from zoohub.core.values import check_values, unknown
from zoohub.errors import UsageError

D = TypeVar("D")
O = TypeVar("O")  # noqa: E741  # an options dataclass


def option(default: D, help: str, *, metavar: str = "N") -> D:
    """A dataclass field that is an option of a command; `help` is one line."""
    return dataclasses.field(default=default, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True)
class CommandOption:
    """An option as a command declares it: its field's name, type and words."""

    name: str
    kind: type
    metavar: str
    help: str


def command_options(schemas: Iterable[type]) -> list[CommandOption]:
    """The options of these dataclasses, each name once, with the help that says more; what is no
    `option` is not for commands."""
    found: dict[str, CommandOption] = {}
    for schema in schemas:
        hints = typing.get_type_hints(schema)
        for field in dataclasses.fields(schema):
            words, hint = field.metadata, hints[field.name]
            known = found.get(field.name)
            if "help" not in words or (known and len(known.help) >= len(words["help"])):
                continue
            kind = next(k for k in typing.get_args(hint) or (hint,) if k is not type(None))
            found[field.name] = CommandOption(field.name, kind, words["metavar"], words["help"])
    return list(found.values())


def names_of(schema: type) -> set[str]:
    """The names of a schema's options."""
    return {field.name for field in dataclasses.fields(typing.cast(Any, schema))}


def choose(schema: type[O], given: Mapping[str, object]) -> O:
    """`schema` with the options that were given; None stands for its default.

    Raises:
        UsageError: an option that it does not have, or a value of the wrong kind.
    """
    own = names_of(schema)
    for name in sorted(given.keys() - own):
        raise UsageError(unknown(name, sorted(own), "option"))
    check_values(given)
    return schema(**{k: v for k, v in given.items() if v is not None})
