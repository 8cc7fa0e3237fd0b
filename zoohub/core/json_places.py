"""Where in JSON text the thing stands that a reader refused: looked for only once it has been."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_LONG = re.compile(r"-?\d+")


def refused_line(text: str, max_depth: int, max_digits: int | None = None) -> int | None:
    """The line (from 1) of the first bracket that is too deep; with `max_digits` also of the first
    repeated key, and number that is none or is too long. None where there is nothing of the kind.
    """
    seen: list[set[str] | None] = []  # the keys of each open object; None for a list
    key = ""
    for match in _TOKEN.finditer(text):
        token, found = match.group(), False
        if token in "{[":
            seen.append(set() if token == "{" else None)
            found = len(seen) > max_depth
        elif token in "}]":
            seen = seen[:-1]
        elif token == ":" and seen and seen[-1] is not None:
            found = max_digits is not None and key in seen[-1]
            seen[-1].add(key)
        elif token[0] == '"':
            key = token
        elif max_digits is not None:
            found = token.lstrip("-") in ("NaN", "Infinity") or _too_large(token, max_digits)
        if found:
            return text.count("\n", 0, match.start()) + 1
    return None


def _too_large(token: str, max_digits: int) -> bool:
    if _LONG.fullmatch(token):
        return len(token) > max_digits
    try:
        return abs(float(token)) == float("inf")
    except ValueError:
        return False
