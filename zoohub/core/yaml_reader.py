"""Reading YAML that strangers may have written: plain values and the line each one stands on.

Only what an index needs is accepted: mappings with text keys, lists, text, numbers, true, false
and null. Anchors, aliases (the stuff of YAML bombs), tags, several documents, duplicate keys,
deep nesting and oversized input are refused while parsing, before anything is built from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zoohub.core.json_reader import Json
from zoohub.core.text_reader import decoded, file_bytes
from zoohub.errors import ManifestError, ZoohubError

MAX_BYTES = 8 * 1024 * 1024
MAX_TEXT = 20_000
MAX_DEPTH = 16
MAX_NUMBER = 1e300

Path_ = tuple[str | int, ...]
Scalar = Callable[[str], str | int | float | bool | None]

# libyaml's parser where PyYAML was built with it: ten times faster, the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A parsed file: its plain `value`, and `lines`, the line (from 1) of the node at each path;
    `raises` is what its complaints are."""

    file: str
    value: Json
    lines: dict[Path_, int]
    raises: type[ZoohubError] = ManifestError

    def mapping(self) -> dict[str, Json]:
        """The file's value, where that is a mapping; else empty."""
        return self.value if isinstance(self.value, dict) else {}

    def line(self, path: Path_) -> int:
        """The line of the node at `path`, or of its nearest ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path_, message: str) -> ZoohubError:
        """A complaint that names the file and the line of the node at `path`."""
        return self.raises(f"{self.file}:{self.line(path)}: {message}")


def read_yaml(
    path: Path,
    *,
    name: str | None = None,
    error: type[ZoohubError] = ManifestError,
    scalar: Scalar | None = None,
    chinese: bool = False,
) -> Document:
    """Read one file. `scalar` says what unquoted text means (default: `plain_scalar`), `chinese`
    is as for `decoded`.

    Raises:
        ManifestError (or `error`): it cannot be read, is too large, is no YAML or uses what is
            refused; names file and line.
    """
    name = name or str(path)
    text = decoded(read_bytes(path, name, error), name, error, "YAML", chinese=chinese)
    return parse_yaml(text, name, error=error, scalar=scalar)


def read_bytes(path: Path, name: str, error: type[ZoohubError]) -> bytes:
    """A file of text, within the limit. Raises `error`."""
    return file_bytes(path, name, error, MAX_BYTES)


def parse_yaml(
    data: bytes | str,
    name: str,
    *,
    error: type[ZoohubError] = ManifestError,
    scalar: Scalar | None = None,
) -> Document:
    """Parse one YAML document; `name` stands for it in errors, `scalar` is as for `read_yaml`.
    Raises as it does."""
    if len(data) > MAX_BYTES:
        raise error(f"{name}: larger than {MAX_BYTES} bytes, refused")
    text = data if isinstance(data, str) else decoded(data, name, error, "YAML")
    try:
        return _Builder(name, error, scalar or plain_scalar).build(plain_events(text, name, error))
    except yaml.YAMLError as problem:
        raise error(_complaint(problem, name)) from None


def _complaint(problem: yaml.YAMLError, name: str) -> str:
    mark: Any = getattr(problem, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    text = getattr(problem, "problem", None) or str(problem).splitlines()[0]
    return f"{where}: not valid YAML: {text}"


def plain_events(
    text: str, name: str, error: type[ZoohubError], *, tags: bool = False
) -> Iterator[yaml.Event]:
    """The parser's events of one document without tricks; whatever reads YAML reads these. `tags`
    are let through for a reader that holds each value to a type of its own.

    Raises:
        ManifestError (or `error`): an anchor, an alias, a tag, a second document, text that is too
            long or nested too deeply.
    """
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        why = None
        if isinstance(event, yaml.AliasEvent):
            why = "aliases (`*name`) are refused; write it out"
        elif getattr(event, "anchor", None) is not None:
            why = "anchors (`&name`) are refused; write it out"
        elif getattr(event, "tag", None) is not None and not tags:
            why = f"tags are refused; found {getattr(event, 'tag', None)}"
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            why = "more than one document in the file" if documents > 1 else None
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            why = f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH + 1 else None
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_TEXT:
            why = f"a text of {len(event.value)} characters; at most {MAX_TEXT}"
        if why:
            raise error(f"{name}:{_line(event)}: {why}")
        yield event


class _Builder:
    """Turns parser events into a Document, refusing what the module's docstring says."""

    def __init__(self, name: str, error: type[ZoohubError], scalar: Scalar) -> None:
        self.name, self.error, self.scalar = name, error, scalar
        self.lines: dict[Path_, int] = {}

    def build(self, events: Iterator[yaml.Event]) -> Document:
        value: Json = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._node(next(events), events, ())
        return Document(self.name, value, self.lines, self.error)

    def _refuse(self, event: yaml.Event, why: str) -> ZoohubError:
        return self.error(f"{self.name}:{_line(event)}: {why}")

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path_) -> Json:
        self.lines[path] = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else self._plain(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        return self._sequence(events, path)

    def _plain(self, event: yaml.ScalarEvent) -> Json:
        value = self.scalar(event.value)
        if isinstance(value, (int, float)) and abs(value) > MAX_NUMBER:
            text = event.value if len(event.value) <= 20 else f"{event.value[:20]}…"
            raise self._refuse(event, f"the number {text} is too large; quote it if it is text")
        return value

    def _mapping(self, events: Iterator[yaml.Event], path: Path_) -> dict[str, Json]:
        result: dict[str, Json] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "a key must be plain text")
            key: str = event.value
            if key in result:
                raise self._refuse(event, f"the key {key!r} occurs twice")
            here = (*path, key)
            result[key] = self._node(next(events), events, here)
            self.lines[here] = _line(event)
        return result

    def _sequence(self, events: Iterator[yaml.Event], path: Path_) -> list[Json]:
        result: list[Json] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self._node(event, events, (*path, len(result))))
        return result


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else int(mark.line) + 1


def plain_text(text: str) -> str | None:
    """What an unquoted scalar means where texts are wanted, such as names of classes: itself.

    >>> plain_text("1.10"), plain_text("yes"), plain_text("~")
    ('1.10', 'yes', None)
    """
    return None if text in _NULLS else text


_NULLS = ("", "~", "null", "Null", "NULL")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMBER_START = frozenset("+-.0123456789")


def plain_scalar(text: str) -> str | int | float | bool | None:
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
