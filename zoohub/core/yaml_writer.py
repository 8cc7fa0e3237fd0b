"""Family documents as YAML that people like to read: block style, short maps on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from zoohub.core.escaping import shown
from zoohub.core.yaml_reader import plain_scalar

# The key under which a mapping carries the comment that stands above it.
COMMENT = "#"
_FLOW = frozenset(("metrics", "arguments", "mean", "std", "size", "out_indices"))
_PLAIN = re.compile(r"[A-Za-z0-9/_.+][A-Za-z0-9/_.+@=,()' -]*(?<! )|https?://[^\s#{}\[\],\"'`|>]+")
_WIDTH = 100


def to_yaml(value: Mapping[str, object], header: str = "") -> str:
    """The document as text; `header` becomes its first comment."""
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    return "\n".join([*lines, *_mapping(value, 0)]) + "\n"


def _mapping(value: Mapping[str, object], indent: int) -> Iterator[str]:
    pad = "  " * indent
    for key, item in value.items():
        if key == COMMENT:
            continue
        if isinstance(item, Mapping) and COMMENT in item:
            for line in str(item[COMMENT]).splitlines():
                yield f"{pad}# {line}"
        written = scalar(key)
        if isinstance(item, Mapping) and set(item) - {COMMENT}:
            flow = flow_text(item)
            if (key in _FLOW or indent > 2) and len(flow) + len(pad) + len(written) < _WIDTH - 2:
                yield f"{pad}{written}: {flow}"
            else:
                yield f"{pad}{written}:"
                yield from _mapping(item, indent + 1)
        elif isinstance(item, list) and item and isinstance(item[0], Mapping):
            yield f"{pad}{written}:"
            yield from _records(item, indent + 1)
        elif isinstance(item, list) and key == "aliases" and len(flow_text(item)) > _WIDTH - 30:
            yield f"{pad}{written}:"
            for element in item:
                yield f"{pad}  - {scalar(element)}"
        else:
            yield f"{pad}{written}: {flow_text(item)}"


def _records(items: list[Mapping[str, object]], indent: int) -> Iterator[str]:
    pad = "  " * indent
    for item in items:
        lines = list(_mapping(item, 0))
        yield f"{pad}- {lines[0]}"
        for line in lines[1:]:
            yield f"{pad}  {line}"


def flow_text(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{scalar(key, flow=True)}: {flow_text(item)}"
            for key, item in value.items()
            if key != COMMENT
        )
        return "{" + inner + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow_text(item) for item in value) + "]"
    return scalar(value, flow=True)


def scalar(value: object, *, flow: bool = False) -> str:
    """One scalar, quoted where it would be read as something else.

    >>> scalar("1.10"), scalar("resnet50"), scalar(0.91), scalar(None), scalar("a: b")
    ("'1.10'", 'resnet50', '0.91', 'null', "'a: b'")
    """
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(int(value)) + ".0" if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) is not None and plain_scalar(text) == text
    if plain and not (flow and any(c in text for c in ",{}[]")):
        return text
    if shown(text) == text:
        if "'" in text and not set(text) & set('"\\'):
            return f'"{text}"'
        return "'" + text.replace("'", "''") + "'"
    raise ValueError(f"cannot be written on one line: {text!r:.60}")
