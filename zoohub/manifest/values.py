"""What one value of a compiled model may be: a function for each kind, and ways to combine them.

Every function takes a value and its place, and raises `SchemaError` for what is not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from zoohub.core.escaping import shown

SCHEMES = ("https://", "http://", "file://", "hf://", "embedded:")
MAX_NAME = 200
MAX_URL = 2_000
MAX_TEXT = 20_000
MAX_ITEMS = 20_000
MAX_CLASSES = 100_000
MAX_STEPS = 10
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

Where = tuple[str | int, ...]
Check: TypeAlias = Callable[[object, Where], object]


class SchemaError(Exception):
    """A value that is not allowed; `where` is its path in the compiled model."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


_NAME_BAD = frozenset("/\\@#:*?\"<>|'`$%\0 \t\r\n")
_HEX = "0123456789abcdef"
_CONTROL = frozenset(chr(c) for c in range(32)) | {"\x7f"}


def name_problem(value: object) -> str | None:
    """Why `value` cannot be the name of a model or the id of a checkpoint; None if it can.

    Names become file names and parts of references, so separators, `..` and shell characters
    are refused.
    """
    if type(value) is not str or not value:
        return f"a name must be text, found {value!r:.60}"
    return _text_problem(value)


@lru_cache(maxsize=4096)  # publishers, formats, ids: few texts, a million times
def _text_problem(value: str) -> str | None:
    if len(value) > MAX_NAME:
        return f"a name of {len(value)} characters; at most {MAX_NAME}"
    if not _NAME_BAD.isdisjoint(value) or not value.isprintable():
        return f"{value!r:.60} holds a character that no name may have"
    if value[0] in ".~-" or value[-1] == "." or ".." in value:
        return f"{value!r:.60} may not begin with `.`, `~` or `-`, end in `.` or hold `..`"
    return None


def check_text(value: object, where: Where) -> str:
    """Text without control characters, at most `MAX_TEXT` long."""
    if type(value) is not str:
        hint = "; put it in quotes" if isinstance(value, (int, float)) else ""
        raise SchemaError(where, f"must be text, found {value!r:.60}{hint}")
    if len(value) > MAX_TEXT:
        raise SchemaError(where, f"a text of {len(value)} characters; at most {MAX_TEXT}")
    # The first test is quick and nearly always enough.
    if not value.isprintable() and any(c in _CONTROL or "\ud800" <= c <= "\udfff" for c in value):
        raise SchemaError(where, "holds a control character or half a character")
    return value


def check_reference(value: object, where: Where) -> None:
    """A name as somebody else published it: a UID, an alias."""
    text = check_text(value, where)
    if not text or len(text) > MAX_URL or text != text.strip():
        raise SchemaError(where, f"not usable as a name: {value!r:.60}")


def check_url(value: object, where: Where) -> None:
    """An ASCII URL of a known scheme, without `..`."""
    if type(value) is not str or not value.isascii() or not value.isprintable():
        check_text(value, where)
        raise SchemaError(where, f"a URL is ASCII; write {value!r:.80} in percent signs")
    if len(value) > MAX_URL:
        raise SchemaError(where, f"a URL of {len(value)} characters; at most {MAX_URL}")
    if not value.startswith(SCHEMES):
        raise SchemaError(where, f"{value!r:.80} begins with none of {', '.join(SCHEMES)}")
    if "/../" in value or value.endswith("/..") or "\\" in value or " " in value:
        raise SchemaError(where, f"{value!r:.80} holds `..`, a backslash or a blank")


def check_sha256(value: object, where: Where) -> None:
    """A whole SHA-256 in lower-case hex."""
    if type(value) is not str or len(value) != 64 or value.strip(_HEX):
        raise SchemaError(where, f"must be 64 lower-case hex digits, found {value!r:.80}")


def check_prefix(value: object, where: Where) -> None:
    """The beginning of one."""
    if type(value) is not str or not 4 <= len(value) < 64 or value.strip(_HEX):
        raise SchemaError(where, f"must be 4 to 63 lower-case hex digits, found {value!r:.80}")


def check_whole(value: object, where: Where) -> None:
    """A whole number from 0."""
    if type(value) is not int or not 0 <= value < 2**62:
        raise SchemaError(where, f"must be a whole number from 0, found {value!r:.60}")


def check_count(value: object, where: Where) -> None:
    """A whole number from 1."""
    if type(value) is not int or not 0 < value < 2**62:
        raise SchemaError(where, f"must be a whole number from 1, found {value!r:.60}")


def check_number(value: object, where: Where) -> float:
    """A finite number."""
    # The comparison is false for NaN too.
    if (type(value) is int or type(value) is float) and -1e300 < value < 1e300:
        return value
    raise SchemaError(where, f"must be a finite number, found {value!r:.60}")


def check_boolean(value: object, where: Where) -> None:
    """True or false."""
    if type(value) is not bool:
        raise SchemaError(where, f"must be true or false, found {value!r:.60}")


def check_metrics(value: object, where: Where) -> None:
    """Names of metrics to finite numbers."""
    if type(value) is not dict:
        raise SchemaError(where, f"must map names to numbers, found {value!r:.60}")
    for name, number in value.items():
        if type(number) is float and -1e300 < number < 1e300 and name.isprintable():
            continue
        check_text(name, where)
        check_number(number, (*where, name))


def check_name(value: object, where: Where) -> str:
    """What can be a model's name or a checkpoint's id: see `name_problem`."""
    problem = name_problem(value)
    if problem:
        raise SchemaError(where, problem)
    return str(value)


def check_label(value: object, where: Where) -> None:
    """A short lower-case word such as a task or a format."""
    name = check_name(value, where)
    if name != name.lower():
        raise SchemaError(where, f"must be lower case, found {value!r:.60}")


def choice(*choices: str) -> Check:
    """One of a few texts."""
    known = frozenset(choices)

    def check(value: object, where: Where) -> None:
        if type(value) is not str or value not in known:
            listed = ", ".join(choices)
            raise SchemaError(where, f"must be one of {listed}, found {value!r:.60}")

    return check


def list_of(check: Check) -> Check:
    """A list of at most `MAX_ITEMS` values of one kind."""

    def check_list(value: object, where: Where) -> None:
        if type(value) is not list or len(value) > MAX_ITEMS:
            raise SchemaError(where, f"must be a list of at most {MAX_ITEMS} items")
        try:
            for item in value:
                check(item, ())
        except SchemaError as error:
            # Sound values, nearly all there are, cost no place of their own.
            number = next(n for n, other in enumerate(value) if other is item)
            raise SchemaError((*where, number, *error.where), error.message) from None

    return check_list


def check_size(value: object, where: Where) -> None:
    """[height, width] in pixels."""
    if (
        type(value) is not list
        or len(value) != 2
        or not all(type(v) is int and 0 < v <= 65_536 for v in value)
    ):
        raise SchemaError(where, f"must be [height, width] in pixels, found {value!r:.60}")


def check_share(value: object, where: Where) -> None:
    """A number from 0 to 1."""
    if not 0 <= check_number(value, where) <= 1:
        raise SchemaError(where, f"must be from 0 to 1, found {value!r:.60}")


def check_crop(value: object, where: Where) -> None:
    """The part of the shorter side that a centre crop keeps."""
    # Above 1 happens: mindcv states 1.15 for VOLO-D4 and D5.
    if not 0 < check_number(value, where) <= 2:
        raise SchemaError(where, f"must be above 0 and at most 2, found {value!r:.60}")


def check_level(value: object, where: Where) -> None:
    """A channel's level in a picture of eight bits."""
    if type(value) is not int or not 0 <= value <= 255:
        raise SchemaError(where, f"must be a whole number from 0 to 255, found {value!r:.60}")


def check_published(value: object, where: Where) -> None:
    """Published names of several files -> the checkpoint that each means by itself."""
    if type(value) is not dict:
        raise SchemaError(where, f"must map published names to ids, found {value!r:.60}")
    for uid, id in value.items():
        check_reference(uid, where)
        check_name(id, (*where, uid))


def check_class_lists(value: object, where: Where) -> None:
    """Names of lists of classes and single classes in `<…>`, with spaces between: mostly one."""
    check_text(value, where)
    for term in str(value).split():
        if not (term.startswith("<") and term.endswith(">") and len(term) <= MAX_NAME):
            check_label(term, where)


def check_steps(value: object, where: Where) -> None:
    """Names of a pipeline's steps, in their order, to references of models."""
    if type(value) is not dict or not 0 < len(value) <= MAX_STEPS:
        raise SchemaError(where, f"must map 1 to {MAX_STEPS} steps to models, found {value!r:.60}")
    for step, reference in value.items():
        check_label(step, where)
        check_reference(reference, (*where, step))
        if reference.startswith((".", "/", "~", "\\")) or _DRIVE.match(reference):
            raise SchemaError((*where, step), f"{reference!r:.60} is a path, not a model's name")


def check_class_names(value: object, where: Where) -> None:
    """Names of a network's outputs in their order; they are shown in terminals and pages."""
    if type(value) is not list or not 0 < len(value) <= MAX_CLASSES:
        raise SchemaError(where, f"must be a list of 1 to {MAX_CLASSES} names")
    for number, name in enumerate(value):
        if type(name) is not str or not 0 < len(name) <= MAX_NAME or shown(name) != name:
            raise SchemaError(
                (*where, number),
                f"must be 1 to {MAX_NAME} printable characters, found {name!r:.60}",
            )


def check_arguments(value: object, where: Where) -> None:
    """A builder's arguments: plain values by name."""
    if type(value) is not dict or len(value) > 200:
        raise SchemaError(where, f"must map argument names to values, found {value!r:.60}")
    for name, argument in value.items():
        if not name.isidentifier():
            raise SchemaError((*where, name), f"{name!r:.60} is no argument's name")
        check_plain(argument, (*where, name), 0)


def check_plain(value: object, where: Where, depth: int) -> None:
    """Any nesting of lists and mappings of scalars, within reason."""
    if depth > 6:
        raise SchemaError(where, "nested too deeply")
    if type(value) is list and len(value) <= 1_000:
        for number, item in enumerate(value):
            check_plain(item, (*where, number), depth + 1)
    elif type(value) is dict and len(value) <= 1_000:
        for key, item in value.items():
            check_text(key, where)
            check_plain(item, (*where, key), depth + 1)
    elif type(value) is str:
        check_text(value, where)
    elif type(value) in (int, float):
        check_number(value, where)
    elif value is not None and type(value) is not bool:
        raise SchemaError(where, f"not an allowed value: {value!r:.60}")


NULLABLE = frozenset(("network", "input"))
Fields: TypeAlias = Mapping[str, Check]


def mapping_of(fields: Fields, required: tuple[str, ...] = ()) -> Check:
    """A mapping of known keys, of which some must be there."""

    def check(value: object, where: Where) -> None:
        if type(value) is not dict:
            raise SchemaError(where, f"must be a mapping, found {value!r:.60}")
        for key, item in value.items():
            checker = fields.get(key)
            # Most values are short plain text: a million of them are checked here, not by a call.
            if (
                checker is check_text
                and type(item) is str
                and len(item) < 500
                and item.isprintable()
            ):
                continue
            if checker is None:
                known = ", ".join(fields)
                raise SchemaError((*where, key), f"unknown key {key!r:.60}; known are {known}")
            if item is not None:
                try:
                    checker(item, ())
                except SchemaError as error:
                    raise SchemaError((*where, key, *error.where), error.message) from None
            elif key not in NULLABLE:
                raise SchemaError((*where, key), "is null; leave the key out instead")
        for key in required:
            if value.get(key) is None:
                raise SchemaError(where, f"{key!r} is missing")

    return check
