"""Texts of which some words are left out, read from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.core.text_reader import lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.tasks.contract import Random, Reader
from zoohub.tasks.fill_mask.recipe import PlainTexts
from zoohub.tasks.fill_mask.rows import Masked
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.text_files import (
    has_lines,
    ids_in,
    keys_of,
    need_words,
    part_of,
    parted,
    rows_of_file,
    usable,
)
from zoohub.tasks.texts import tokenizer_beside

Truth = tuple[int, ...]  # the ids of the tokens that are left out


class PlainTextsReader(Reader[PlainTexts, Truth]):
    """See `PlainTexts`."""

    data = PlainTexts
    says = "a .txt file, a text a line, or a .csv, .tsv or .jsonl of `text` alone"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.suffix.lower() == ".txt":
            return has_lines(source)
        keys = keys_of(source)
        return "text" in keys and not keys & {"label", "tags", "question"}

    def describe(self, source: Path) -> PlainTexts:
        """See `Reader`."""
        return PlainTexts("plain-texts", str(source.absolute()))

    def read(self, data: PlainTexts, *, measuring: bool = False) -> Splits[Truth]:
        """See `Reader`; a text that cannot be used is counted in `skipped`. The words left out
        follow from `seed` and the text's place; training leaves out others each epoch.

        Raises:
            DataError: also: which id is the mask is not known.
        """
        file = expanded(data.path)
        tokenizer = tokenizer_beside(file, data.vocab)
        mask = data.mask_id
        if mask is None and tokenizer is not None:
            mask = tokenizer.mask()
        if mask is None:
            raise DataError(
                f"{file}: which token is the mask is not known: put the network's vocab.txt or "
                "tokenizer.json beside, or give --set data.mask_id=N where it has token ids"
            )
        inputs: list[Masked] = []
        truths: list[Truth] = []
        parts: list[str | None] = []
        skipped: dict[str, str] = {}
        for number, (name, text, part) in enumerate(_texts(file, skipped)):
            try:
                ids = _ids(text, name, tokenizer)
            except DataError as error:
                skipped[name] = str(error)
                continue
            places = choose(len(ids), data.masked, np.random.default_rng([data.seed, number]))
            truths.append(tuple(ids[place] for place in places))
            left = tuple(mask if place in places else id for place, id in enumerate(ids))
            inputs.append(Masked(name, left, places))
            parts.append(part)
        found = Samples(inputs, truths, [input.name for input in inputs])
        cut = parted(found, parts, data.validation, data.seed, measuring=measuring)
        return usable(Splits((), *cut, skipped), file, "text", measuring=measuring)


def choose(tokens: int, share: float, random: Random) -> tuple[int, ...]:
    """The places of a text of so many tokens that are left out, at least one: never the first and
    the last, the marks around it."""
    count = max(1, round(share * (tokens - 2)))
    return tuple(sorted((random.permutation(tokens - 2)[:count] + 1).tolist()))


def _texts(file: Path, skipped: dict[str, str]) -> Iterator[tuple[str, object, str | None]]:
    """(name, text, part) of each."""
    if file.suffix.lower() == ".txt":
        for number, line in enumerate(lines_of(read_text_file(file)), 1):
            yield f"{file}:{number}", line, None
        return
    for name, row in rows_of_file(file):
        try:
            part = part_of(row, name)
        except DataError as error:
            skipped[name] = str(error)
            continue
        yield name, row.get("text"), part


def _ids(text: object, name: str, tokenizer: Tokenizer | None) -> Sequence[int]:
    ids: Sequence[int] | None = ids_in(text)
    if isinstance(text, str):
        if not text.strip():
            raise DataError(f"{name}: an empty text")
        if tokenizer is None:
            raise need_words(name)
        ids = tokenizer.encode(text)
    if ids is None:
        raise DataError(f"{name}: expected a text or a list of token ids, found {text!r:.40}")
    if len(ids) < 3:
        raise DataError(
            f"{name}: {counted(len(ids), 'token')} with the marks around; at least 3 are needed"
        )
    return ids
