"""A CSV, TSV or JSON Lines file of texts and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoohub.core.paths import expanded
from zoohub.core.text_reader import is_file
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.tasks.classification.splitting import (
    require_samples,
    require_two,
    sort_classes,
    split_classes,
)
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import Samples, Splits, none
from zoohub.tasks.text_classification.recipe import LabelledTexts
from zoohub.tasks.text_files import (
    JSON_LINES,
    TABLES,
    Values,
    ids_in,
    keys_of,
    need_words,
    part_of,
    rows_of_file,
)
from zoohub.tasks.texts import tokenizer_beside


@dataclass(frozen=True)
class _Text:
    """A row that can be used."""

    sentence: Sentence
    label: str
    part: str | None


class TextsReader(Reader[LabelledTexts, int]):
    """See `LabelledTexts`."""

    data = LabelledTexts
    says = "a .csv, .tsv or .jsonl file of `text` and `label`"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.suffix.lower() not in (*JSON_LINES, *TABLES) or not is_file(source):
            return False
        keys = keys_of(source)  # others are told what is missing
        return not {"question", "context"} <= keys and "tags" not in keys

    def describe(self, source: Path) -> LabelledTexts:
        """See `Reader`."""
        return LabelledTexts("texts", str(source.absolute()))

    def read(self, data: LabelledTexts, *, measuring: bool = False) -> Splits[int]:
        """See `Reader`; a row that cannot be used is counted in `skipped`.

        Raises:
            DataError: also: the columns are others, or only some rows say their split.
        """
        file = expanded(data.path)
        skipped: dict[str, str] = {}
        texts = list(_texts(file, tokenizer_beside(file, data.vocab), skipped))
        if not texts:
            reason = next(iter(skipped.values()), "it is empty")
            raise DataError(f"{file}: no text with its label can be used: {reason}")
        given = [text.part is not None for text in texts]
        if any(given) and not all(given):
            name = texts[given.index(False)].sentence.name
            raise DataError(f"{name}: no split, though other rows have one; write it")
        learnt = [text.label for text in texts if measuring or text.part in (None, "train")]
        classes = sort_classes(learnt)
        if not measuring:
            require_two(classes, file, "text", skipped)
        return require_samples(_splits(classes, texts, data, skipped, measuring), measuring)


def _splits(
    classes: tuple[str, ...],
    texts: Sequence[_Text],
    data: LabelledTexts,
    skipped: dict[str, str],
    measuring: bool,
) -> Splits[int]:
    known = [text for text in texts if text.label in classes]
    unknown = sorted({text.label for text in texts} - set(classes))
    warnings = (f"labels without training texts: {', '.join(unknown)}",) if unknown else ()
    samples = Samples(
        [text.sentence for text in known],
        [classes.index(text.label) for text in known],
        [text.sentence.name for text in known],
    )
    parts = np.array([text.part for text in known], object)
    if texts[0].part is not None:
        train, validation, test = (
            samples.take(np.flatnonzero(parts == name)) for name in ("train", "validation", "test")
        )
        return Splits(classes, train, validation, test, skipped, warnings)
    if measuring:
        return Splits(classes, samples, none(), none(), skipped, warnings)
    train, validation = split_classes(samples, data.validation, data.seed)
    return Splits(classes, train, validation, none(), skipped, warnings)


def _texts(file: Path, tokenizer: Tokenizer | None, skipped: dict[str, str]) -> Iterator[_Text]:
    _check_columns(file)
    for name, row in rows_of_file(file):
        try:
            yield _text(row, name, tokenizer)
        except DataError as error:
            skipped[name] = str(error)


def _check_columns(file: Path) -> None:
    """A table without these columns has not one row that can be used."""
    columns = keys_of(file)
    if file.suffix.lower() in TABLES and not {"text", "label"} <= columns:
        found = ", ".join(map(repr, sorted(columns))) or "nothing"
        raise DataError(
            f"{file}:1: expected the columns text and label (and perhaps split), found {found:.200}"
        )


def _text(row: Values, name: str, tokenizer: Tokenizer | None) -> _Text:
    text, label = row.get("text"), row.get("label")
    if isinstance(label, bool) or not isinstance(label, str | int) or not str(label).strip():
        raise DataError(f"{name}: expected a label, found {label!r:.40}")
    part = part_of(row, name)
    sentence = Sentence(name, text if isinstance(text, str) else None, _ids(text, name, tokenizer))
    return _Text(sentence, str(label).strip(), part)


def _ids(text: object, name: str, tokenizer: Tokenizer | None) -> tuple[int, ...]:
    if isinstance(text, str):
        if not text.strip():
            raise DataError(f"{name}: an empty text")
        if tokenizer is None:
            raise need_words(name)
        return tuple(tokenizer.encode(text))
    ids = ids_in(text)
    if ids is None:
        raise DataError(f"{name}: expected a text or a list of token ids, found {text!r:.40}")
    return ids
