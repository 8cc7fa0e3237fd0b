"""Reading JSON that strangers may have written, with limits, and errors that name file and line.

Refused, because two readers would take them for different things or because they cost too much:
keys that occur twice, NaN and Infinity, numbers of hundreds of digits or beyond all measure
(1e999), deep nesting, NUL, half characters, what is not text. A byte order mark is passed over.

This is the one place that reads JSON; `tests/rooms/` holds the others to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from zoohub.core.json_places import refused_line
from zoohub.core.text_reader import decoded, file_bytes
from zoohub.errors import ManifestError, ZoohubError

MAX_BYTES = 64 << 20
MAX_DEPTH = 64
_MAX_DIGITS = 300  # of more, a whole number has no float
# What a number too large has; found in few texts, so that the others are read at full speed.
_SUSPICIOUS = re.compile(r"[0-9][eE]\+?[0-9]{3}|[0-9]{300}")
_LOOKED_AT = 1 << 20  # characters of a broken text, for why it is
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")

# What JSON can say, and YAML as zoohub reads it.
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def read_json_file(
    path: Path,
    *,
    name: str | None = None,
    error: type[ZoohubError] = ManifestError,
    max_bytes: int = MAX_BYTES,
    chinese: bool = False,
) -> Json:
    """What a JSON file says; `chinese` as for `decoded`. Raises `error`, naming file and line."""
    shown = name or str(path)
    data = file_bytes(path, shown, error, max_bytes)
    text = decoded(data, shown, error, "JSON", chinese=chinese)
    return parse_json(text, shown, error=error, max_bytes=max_bytes)


def parse_json(
    data: bytes | str,
    name: str,
    *,
    error: type[ZoohubError] = ManifestError,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    line: int = 1,
    schema_follows: bool = False,
) -> Json:
    """What JSON text says; `name` stands for it in errors, and `line` is that of its first one.

    `schema_follows` where the caller holds each number, text and level to a schema of its own: they
    are not looked at here, which takes half of the time away.

    Raises `error`.
    """
    if len(data) > max_bytes:
        raise error(f"{name}: larger than {max_bytes} bytes, refused; split it")
    text = data if isinstance(data, str) else decoded(data, name, error, "JSON")
    suspicious = not schema_follows and _SUSPICIOUS.search(text)
    try:
        value: Json = (_CHECKED if suspicious else _DECODER).decode(text)
        if not schema_follows and _HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        deep = refused_line(text[: min(problem.pos, _LOOKED_AT)], max_depth)
        if deep is not None:  # where Python's own limit is far away
            place, why = deep, f"nested deeper than {max_depth} levels, refused; flatten it"
        else:
            place, why = problem.lineno, f"not valid JSON: {problem.msg}; mend that line"
        raise error(f"{name}:{line + place - 1}: {why}") from None
    except UnicodeEncodeError:
        found = _HALF_CHARACTER.search(text)
        place = line + text.count("\n", 0, found.start() if found else 0)
        raise error(
            f"{name}:{place}: half a character (\\ud800 to \\udfff); write it out"
        ) from None
    except (RecursionError, ValueError) as problem:
        deep = isinstance(problem, RecursionError)
        why = f"nested deeper than {max_depth} levels, refused" if deep else str(problem)
        place = line + (refused_line(text, max_depth, _MAX_DIGITS) or 1) - 1
        raise error(f"{name}:{place}: {why}; write it out as plain JSON") from None
    if not schema_follows and depth_exceeds(value, max_depth):
        place = line + (refused_line(text, max_depth) or 1) - 1
        raise error(f"{name}:{place}: nested deeper than {max_depth} levels, refused; flatten it")
    return value


def parse_own(text: str | bytes) -> Any:
    """What JSON says that zoohub itself has just written and holds, such as a row of its compiled
    index: quicker, and without the limits.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return json.loads(text)
    except RecursionError as problem:
        raise ValueError(str(problem)) from None


def parse_strictly(text: str, number: Callable[[str], int]) -> Json:
    """JSON whose numbers are whole ones that `number` makes, without a key for a second time.

    Raises:
        ValueError: it is no such JSON.
    """
    try:
        value: Json = json.loads(
            text,
            parse_int=number,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            object_pairs_hook=_names,
        )
    except RecursionError as problem:
        raise ValueError(str(problem)) from None
    return value


def depth_exceeds(value: Json, limit: int) -> bool:
    """Whether lists and mappings are nested deeper than `limit`."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit + 1):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:60]!r} occurs twice")
    return found


def _names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name for a second time")
    return found


def _constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _no_fraction(text: str) -> float:
    raise ValueError(f"{text[:20]!r}, where only whole numbers may stand")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)
_CHECKED = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_whole, parse_float=_fraction
)
