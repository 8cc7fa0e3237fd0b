"""From what the user names, texts, token ids, files of them, to a flat list of sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from zoohub.core.json_reader import parse_json
from zoohub.core.text_reader import MAX_TEXT_BYTES, decoded, file_bytes, lines_of
from zoohub.errors import DataError
from zoohub.inputs.source import Source
from zoohub.inputs.text.sentence import MOST_IDS, Question, Sentence, Text

ACCEPTED = "a text, a list of token ids, or a .txt or .jsonl file"
_FILES = (".txt", ".jsonl")


def expand_inputs(inputs: object) -> tuple[Source, ...]:
    """Sentences in the order in which they were named.

    A text is a sentence, and so is a list of whole numbers, its token ids, or a mapping with `text`
    or `ids`. A `Path`, and a text that ends in `.txt` or `.jsonl`, is a file: a sentence a line, in
    a .jsonl a JSON text, list or mapping as above. Bytes and open files are a .txt. A sentence in
    a file is called by the file and its line; token ids by their place among the inputs.

    Raises:
        DataError: nothing at all was given. Where some of several inputs cannot be read, those come
            back with `error` set.
    """
    items = [inputs] if _is_one(inputs) else _listed(inputs)
    sources: list[Source] = []
    for position, item in enumerate(items):
        sources += _expanded(item, f"input {position}")
    if not sources:
        raise DataError(f"there is nothing to predict: no input was given; give {ACCEPTED}")
    if all(source.value is None for source in sources):
        raise DataError("; ".join(str(source.error) for source in sources))
    return tuple(sources)


def _listed(inputs: object) -> list[object]:
    if isinstance(inputs, Iterable) and getattr(inputs, "ndim", 1) > 0:
        return list(inputs)
    raise DataError(f"a {type(inputs).__name__} is no text; give {ACCEPTED}, or a list of them")


def _is_one(inputs: object) -> bool:
    one = (str, Text, os.PathLike, bytes, bytearray, Mapping, Source)
    return isinstance(inputs, one) or hasattr(inputs, "read") or _is_ids(inputs)


def _is_ids(item: object) -> bool:
    """Whether it is one sentence's token ids: whole numbers, at least one."""
    if isinstance(item, np.ndarray):
        return item.ndim == 1 and item.dtype.kind in "iu"
    return isinstance(item, Sequence) and bool(item) and all(map(_is_whole, item))


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _expanded(item: object, name: str) -> list[Source]:
    if isinstance(item, Source):
        return [item]
    if isinstance(item, os.PathLike) or (isinstance(item, str) and _is_file(item)):
        return _read(Path(item).expanduser())
    if isinstance(item, bytes | bytearray):
        return _lines(bytes(item), name, jsonl=False)
    if hasattr(item, "read"):
        try:
            content = item.read()
        except (OSError, ValueError) as error:
            return [Source(name, error=f"{name} cannot be read: {error}")]
        data = content.encode() if isinstance(content, str) else bytes(content)
        return _lines(data, str(getattr(item, "name", name)), jsonl=False)
    if isinstance(item, str | Text):  # called by itself
        text = item.text if isinstance(item, Text) else item
        return [_sentence(text, text if text.strip() else name)]
    return [_sentence(item, name)]


def _is_file(text: str) -> bool:
    return "\n" not in text and text.lower().endswith(_FILES)


def _read(path: Path) -> list[Source]:
    """The sentences of a file; one source with its error where it cannot be read."""
    try:
        data = file_bytes(path, str(path), DataError, MAX_TEXT_BYTES)
    except DataError as error:
        return [Source(str(path), error=str(error))]
    return _lines(data, str(path), jsonl=path.suffix.lower() == ".jsonl")


def _lines(data: bytes, name: str, *, jsonl: bool) -> list[Source]:
    try:
        text = decoded(data, name, DataError, chinese=True)
    except DataError as error:
        return [Source(name, error=str(error))]
    lines = lines_of(text)
    if not lines:
        return [Source(name, error=f"{name} is empty; give a sentence a line")]
    numbered = ((f"{name}:{number}", line) for number, line in enumerate(lines, 1))
    read = _row if jsonl else _sentence
    return [read(line, place) for place, line in numbered]


def _row(line: str, name: str) -> Source:
    """A line of a .jsonl."""
    if not line.strip():
        return _sentence(line, name)
    try:
        return _sentence(parse_json(line, name, error=DataError), name)
    except DataError as error:
        return Source(name, error=str(error))


def _sentence(item: object, name: str) -> Source:
    """A text, token ids, or a mapping with one of them; or with a question and its context."""
    if isinstance(item, Mapping) and item.get("question") is not None:
        return _question(item, name)
    if isinstance(item, Mapping):
        known = [key for key in ("text", "ids") if item.get(key) is not None]
        if len(known) != 1:
            return Source(name, error=f"{name}: expected `text` or `ids`, found {_keys(item)}")
        item = item[known[0]]
    if isinstance(item, str):
        if not item.strip():
            return Source(name, error=f"{name}: an empty line, in which there is nothing to read")
        return Source(name, Sentence(name, text=item))
    if isinstance(item, Sequence | np.ndarray) and len(item) == 0:
        return Source(name, error=f"{name}: no token at all; give at least one id")
    if isinstance(item, Sequence) and not _is_ids(item):
        odd = next(value for value in item if not _is_whole(value))
        return Source(
            name, error=f"{name}: {odd!r:.40} is no token id; ids are whole numbers from 0"
        )
    if not isinstance(item, Sequence | np.ndarray) or not _is_ids(item):
        return Source(name, error=f"{name}: {type(item).__name__} is no text; give {ACCEPTED}")
    ids = tuple(int(id) for id in item)
    wrong = next((id for id in ids if not 0 <= id < MOST_IDS), None)
    if wrong is not None:
        return Source(name, error=f"{name}: {wrong} is no token id; ids are whole numbers from 0")
    return Source(name, Sentence(name, ids=ids))


def _question(item: Mapping[object, object], name: str) -> Source:
    sides = (item["question"], item.get("context"))
    if all(isinstance(side, str) and side.strip() for side in sides):
        return Source(name, Question(name, str(sides[0]), str(sides[1])))
    read = [_sentence({"ids": side}, name) for side in sides if isinstance(side, list | tuple)]
    ids = [source.value.ids for source in read if isinstance(source.value, Sentence)]
    if len(ids) == 2 and ids[0] is not None and ids[1] is not None:
        return Source(name, Question(name, ids[0], ids[1]))
    problem = next((source.error for source in read if source.error is not None), None)
    return Source(
        name,
        error=problem
        or f"{name}: expected `question` and `context`, both texts or both lists of token ids",
    )


def _keys(item: Mapping[object, object]) -> str:
    return ", ".join(f"{key}" for key in list(item)[:5]) or "nothing"
