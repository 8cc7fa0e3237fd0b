"""The compiled index as it travels: `index.jsonl.gz`.

The first line is `{schema, serial, created, base}`; every other line is one compiled model
(see `schema`), sorted by name. The same index always gives the same bytes.
"""

from __future__ import annotations

import datetime
import gzip
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from zoohub.core.atomic import replacing
from zoohub.core.json_reader import Json, parse_json
from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.schema import SCHEMA, check_model
from zoohub.manifest.values import SchemaError

MAX_LINE = 8 * 1024 * 1024
MAX_UNPACKED = 8 * 1024**3


@dataclass(frozen=True)
class Header:
    """The first line. `serial` grows with every release of an index; `created` is a date or time
    in ISO 8601; `base` is what relative URLs would be relative to, None as long as none are.
    `expires` (ISO 8601 too) is when its keeper will have published a newer one."""

    serial: int = 0
    created: str | None = None
    base: str | None = None
    schema: int = SCHEMA
    expires: str | None = None

    def check_expiry(self, name: str, now: float | None = None) -> None:
        """Refuse an index that has expired, of which somebody serves an old version.

        Raises:
            ManifestError: it has.
        """
        until = moment_of(self.expires)
        if until is not None and (time.time() if now is None else now) > until:
            raise ManifestError(
                f"{name} expired on {self.expires}, and no newer version is served; ask its keeper"
            )


def moment_of(text: str | None) -> float | None:
    """A date or time in ISO 8601, UTC where it says no zone, in seconds since 1970."""
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def write_interchange(path: Path, header: Header, models: Iterable[ModelRow]) -> int:
    """Write the models, which must come sorted by name; returns how many.

    Raises:
        ManifestError: they are not sorted, or one name occurs twice.
    """
    count = 0
    last = ""
    with replacing(path, durable=False) as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as stream:
        first = {"schema": header.schema, "serial": header.serial, "created": header.created}
        ends = {"expires": header.expires} if header.expires else {}
        stream.write((dump({**first, "base": header.base, **ends}) + "\n").encode())
        for model in models:
            name = model["model"]
            if name <= last:
                raise ManifestError(f"{path}: {name!r} after {last!r}: not sorted, or there twice")
            last = name
            stream.write((dump(model) + "\n").encode())
            count += 1
    return count


def read_header(path: Path) -> Header:
    """The first line alone. Raises ManifestError."""
    with _lines(path) as lines:
        return _header(path, next(lines, b""))


class CompiledModel(dict[str, object]):
    """A compiled model that remembers the text it was read from, so as not to be written anew."""

    text: str


def read_interchange(path: Path) -> tuple[Header, Iterator[ModelRow]]:
    """The header and the checked models, read as they are asked for.

    Raises:
        ManifestError: now or while iterating: unreadable, not gzip, of a newer schema, too
            large, unsorted, or a model that is not allowed; names file and line.
    """
    header, lines = open_lines(path)
    return header, checked_models(path, lines)


def open_lines(path: Path) -> tuple[Header, Iterator[bytes]]:
    """The header and the lines of the models as they are. Raises as `read_interchange`."""
    lines = _lines(path)
    return _header(path, next(lines, b"")), lines


def _header(path: Path, line: bytes) -> Header:
    _, value = _json(path, 1, line)
    if not isinstance(value, dict) or type(value.get("schema")) is not int:
        raise ManifestError(f"{path}:1: not a zoohub index: the first line has no schema number")
    if value["schema"] != SCHEMA:
        raise ManifestError(
            f"{path}: the index has schema {value['schema']}, this zoohub reads schema {SCHEMA}; "
            "upgrade zoohub (pip install -U zoohub)"
        )
    serial, created, base = value.get("serial"), value.get("created"), value.get("base")
    if type(serial) is not int or serial < 0:
        raise ManifestError(f"{path}:1: serial must be a whole number, found {serial!r:.60}")
    expires = value.get("expires")
    if expires is not None and (not isinstance(expires, str) or moment_of(expires) is None):
        raise ManifestError(f"{path}:1: expires must be a date or time, found {expires!r:.60}")
    return Header(serial, _short(path, created), _short(path, base), expires=expires)


def _short(path: Path, text: Json) -> str | None:
    if text is None or (isinstance(text, str) and len(text) <= 2_000):
        return text
    raise ManifestError(f"{path}:1: created and base must be text, found {text!r:.60}")


def checked_models(path: Path, lines: Iterable[bytes], start: int = 2) -> Iterator[ModelRow]:
    """The models of lines that follow each other, the first of which has the number `start`.
    Raises ManifestError for the first that is not allowed, or not sorted."""
    last = ""
    for number, line in enumerate(lines, start):
        text, value = _json(path, number, line)
        try:
            model = check_model(value)
        except SchemaError as error:
            where = ".".join(str(part) for part in error.where)
            name = value.get("model") if isinstance(value, dict) else None
            raise ManifestError(
                f"{path}:{number}: {name!r:.80}: {where or 'model'}: {error.message}"
            ) from None
        if model["model"] <= last:
            raise ManifestError(
                f"{path}:{number}: {model['model']!r} is not sorted, or there twice"
            )
        last = model["model"]
        compiled = CompiledModel(model)
        compiled.text = text.strip()
        yield cast("ModelRow", compiled)


def _json(path: Path, number: int, line: bytes) -> tuple[str, Json]:
    """A line as text and what it says."""
    try:
        text = line.decode()  # given bytes, JSON would take UTF-16 too
        said = text.rstrip("\r\n")  # what is missing is missing in this line
        return text, parse_json(said, f"{path}", line=number, schema_follows=number > 1)
    except UnicodeDecodeError:
        raise ManifestError(f"{path}:{number}: not JSON: {line[:60]!r}") from None
    except ManifestError as problem:
        reason = str(problem).removeprefix(f"{path}:{number}: ")
        raise ManifestError(f"{path}:{number}: not JSON: {line[:60]!r} ({reason})") from None


class _lines:  # noqa: N801 - reads as the function it stands for
    """The lines of a gzip file, with limits on one line and on the whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = 0
        try:
            self.stream = gzip.open(path, "rb")  # noqa: SIM115 - closed at the end or by `with`
        except OSError as error:
            raise self._unreadable(error) from None

    def __enter__(self) -> _lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def __iter__(self) -> _lines:
        return self

    def _unreadable(self, error: Exception) -> ManifestError:
        return ManifestError(f"{self.path} cannot be read as a compiled index: {error}")

    def __next__(self) -> bytes:
        try:
            line = self.stream.readline(MAX_LINE + 1)
        except (OSError, EOFError, zlib.error) as error:
            self.stream.close()
            raise self._unreadable(error) from None
        self.total += len(line)
        if len(line) > MAX_LINE or self.total > MAX_UNPACKED:
            self.stream.close()
            raise ManifestError(f"{self.path}: a line or the whole is too large, refused")
        if not line:
            self.stream.close()
            raise StopIteration
        return line
