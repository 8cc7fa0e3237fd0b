"""Reading YAML that strangers may have written: plain values and the line each one stands on.

Only what an index needs is accepted: mappings with text keys, lists, text, numbers, true, false
and null. Anchors, aliases (the stuff of YAML bombs), tags, several documents, duplicate keys,
deep nesting and oversized input are refused while parsing, before anything is built from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zoohub.errors import ManifestError

MAX_BYTES = 8 * 1024 * 1024
MAX_TEXT = 20_000
MAX_DEPTH = 16

Path_ = tuple[str | int, ...]

# libyaml's parser where PyYAML was built with it: ten times faster, the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A parsed file: its plain `value`, and `lines`, the line (from 1) of the node at each path."""

    file: str
    value: Any
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int:
        """The line of the node at `path`, or of its nearest ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path_, message: str) -> ManifestError:
        """A ManifestError that names the file and the line of the node at `path`."""
        return ManifestError(f"{self.file}:{self.line(path)}: {message}")


def read_yaml(path: Path, *, name: str | None = None) -> Document:
    """Read one file.

    Raises:
        ManifestError: it cannot be read, is too large, is no YAML or uses what is refused;
            names file and line.
    """
    name = name or str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ManifestError(f"{name}: larger than {MAX_BYTES} bytes, refused")
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{name} cannot be read: {error.strerror or error}") from None
    return parse_yaml(data, name)


def parse_yaml(data: bytes, name: str) -> Document:
    """Parse one YAML document; `name` stands for it in errors. Raises ManifestError."""
    if len(data) > MAX_BYTES:
        raise ManifestError(f"{name}: larger than {MAX_BYTES} bytes, refused")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError(f"{name}:{line}: not UTF-8 text") from None
    try:
        return _Builder(name).build(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ManifestError(f"{where}: not valid YAML: {problem}") from None


class _Builder:
    """Turns parser events into a Document, refusing what the module's docstring says."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path_, int] = {}

    def build(self, events: Iterator[Any]) -> Document:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(event, "more than one document in the file")
                value = self._node(next(events), events, (), 0)
        return Document(self.name, value, self.lines)

    def _refuse(self, event: Any, why: str) -> ManifestError:
        return ManifestError(f"{self.name}:{_line(event)}: {why}")

    def _node(self, event: Any, events: Iterator[Any], path: Path_, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, "aliases (`*name`) are refused in an index; write it out")
        if event.anchor is not None:
            raise self._refuse(event, "anchors (`&name`) are refused in an index; write it out")
        if event.tag is not None:
            raise self._refuse(event, f"tags are refused in an index; found {event.tag}")
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        self.lines[path] = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path, depth)
        return self._sequence(events, path, depth)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if len(text) > MAX_TEXT:
            raise self._refuse(event, f"a text of {len(text)} characters; at most {MAX_TEXT}")
        return text if event.style else plain_scalar(text)

    def _mapping(self, events: Iterator[Any], path: Path_, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "a key must be plain text")
            if event.anchor is not None or event.tag is not None:
                raise self._refuse(event, "anchors and tags are refused in an index")
            key: str = event.value
            if key in result:
                raise self._refuse(event, f"the key {key!r} occurs twice")
            if len(key) > MAX_TEXT:
                raise self._refuse(event, f"a key of {len(key)} characters")
            here = (*path, key)
            result[key] = self._node(next(events), events, here, depth + 1)
            self.lines[here] = _line(event)
        return result

    def _sequence(self, events: Iterator[Any], path: Path_, depth: int) -> list[Any]:
        result: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self._node(event, events, (*path, len(result)), depth + 1))
        return result


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMBER_START = frozenset("+-.0123456789")


def plain_scalar(text: str) -> Any:
    """What an unquoted scalar means: null, true, false, a decimal number, else the text itself.

    YAML 1.1's other readings (yes, on, dates, octal and base-60 numbers) stay text.

    >>> plain_scalar("1.10"), plain_scalar("8e-3"), plain_scalar("2021-04-15"), plain_scalar("no")
    (1.1, 0.008, '2021-04-15', 'no')
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or "_" in text:
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text) if any(c.isdigit() for c in text) else text
    except ValueError:
        return text
