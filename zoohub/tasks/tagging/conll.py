"""Words and their tags, read from files in CoNLL's form or from a .jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.core.text_reader import lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.tasks.classification.splitting import require_two
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.tagging.recipe import TaggedTexts
from zoohub.tasks.tagging.rows import Words, of_ids, of_pieces
from zoohub.tasks.text_files import (
    JSON_LINES,
    begins_tagged,
    ids_in,
    is_tagged,
    keys_of,
    need_words,
    part_of,
    parted,
    rows_of_file,
    usable,
)
from zoohub.tasks.texts import tokenizer_beside

Tags = tuple[int, ...]  # of each word its class's index

_DOCUMENT = "-DOCSTART-"
_STEMS = {
    "train": "train", "valid": "validation", "validation": "validation", "dev": "validation",
    "val": "validation", "testa": "validation", "test": "test", "testb": "test",
}  # fmt: skip
_TAGS = ("tags", "ner_tags", "labels")  # what a .jsonl calls them


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it was read."""

    words: Words
    tags: tuple[str, ...]
    part: str | None


class TaggedTextsReader(Reader[TaggedTexts, Tags]):
    """See `TaggedTexts`."""

    data = TaggedTexts
    says = "a CoNLL file (a word and its tag a line), or a .jsonl of `tokens` and `tags`"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_dir():
            return any(part == "train" for part in _files(source).values())
        if source.suffix.lower() in JSON_LINES:
            keys = keys_of(source)
            return bool(keys & {"tokens", "ids"}) and bool(keys & set(_TAGS))
        return source.suffix.lower() not in (".csv", ".json", ".yaml") and is_tagged(source)

    def describe(self, source: Path) -> TaggedTexts:
        """See `Reader`."""
        return TaggedTexts("tagged-texts", str(source.absolute()))

    def read(self, data: TaggedTexts, *, measuring: bool = False) -> Splits[Tags]:
        """See `Reader`; a text that cannot be used is counted in `skipped`, and so is one with a
        tag that no text to train on has."""
        source = expanded(data.path)
        skipped: dict[str, str] = {}
        found = list(_texts(source, data.vocab, skipped))
        learnt = [tag for text in found if measuring or text.part in (None, "train")
                  for tag in text.tags]  # fmt: skip
        classes = _classes(learnt, source)
        if not measuring:
            require_two(classes, source, "word")
        odd = sorted({tag for text in found for tag in text.tags} - set(classes))
        known = [text for text in found if not set(text.tags) & set(odd)]
        for text in found:
            if strange := sorted(set(text.tags) & set(odd)):
                name = text.words.name
                skipped[name] = f"{name}: no text to train on has the tag {strange[0]}"
        warnings = (f"tags without training texts: {', '.join(odd)}",) if odd else ()
        samples = Samples(
            [text.words for text in known],
            [tuple(map(classes.index, text.tags)) for text in known],
            [text.words.name for text in known],
        )
        parts = [text.part for text in known]
        cut = parted(samples, parts, data.validation, data.seed, measuring=measuring)
        splits = Splits(classes, *cut, skipped, warnings)
        return usable(splits, source, "tagged text", measuring=measuring)


def _classes(tags: Iterable[str], source: Path) -> tuple[str, ...]:
    """The distinct tags, sorted. Raises DataError: two differ only in case."""
    found = sorted(set(tags))
    known: dict[str, str] = {}
    for tag in found:
        other = known.setdefault(tag.casefold(), tag)
        if other != tag:
            raise DataError(
                f"{source}: two tags differ only in case, {other!r} and {tag!r}; write them alike"
            )
    return tuple(found)


def _files(folder: Path) -> dict[Path, str]:
    """The files of a folder in CoNLL's form, and which part each is."""
    named = (file for file in sorted(folder.iterdir()) if file.stem.lower() in _STEMS)
    return {file: _STEMS[file.stem.lower()] for file in named if begins_tagged(file)}


def _texts(source: Path, vocab: str | None, skipped: dict[str, str]) -> Iterator[_Text]:
    beside = source / "train" if source.is_dir() else source
    tokenizer = tokenizer_beside(beside, vocab)
    files = _files(source) if source.is_dir() else {source: None}
    for file, part in files.items():
        read = _json_texts if file.suffix.lower() in JSON_LINES else _conll_texts
        for name, words, tags, said in read(file, skipped):
            try:
                yield _Text(_cut(words, len(tags), name, tokenizer), tags, part or said)
            except DataError as error:
                skipped[name] = str(error)


_Read = tuple[str, "Sequence[str] | Sequence[int]", tuple[str, ...], str | None]


def _conll_texts(file: Path, skipped: dict[str, str]) -> Iterator[_Read]:
    """(name, words, tags, None) of each text, called by its first line."""
    lines: list[list[str]] = []
    first = 1
    for number, line in enumerate((*lines_of(read_text_file(file)), ""), 1):
        columns = line.split()
        if columns and columns[0] != _DOCUMENT:
            first = first if lines else number
            lines.append(columns)
            continue
        if lines:
            bad = next((place for place, row in enumerate(lines) if len(row) < 2), None)
            if bad is None:
                words, tags = [row[0] for row in lines], tuple(row[-1] for row in lines)
                yield f"{file}:{first}", words, tags, None
            else:
                name = f"{file}:{first + bad}"
                skipped[name] = f"{name}: expected a word and its tag, found {lines[bad][0]!r:.40}"
        lines = []


def _json_texts(file: Path, skipped: dict[str, str]) -> Iterator[_Read]:
    for name, row in rows_of_file(file):
        words = row.get("tokens") or row.get("ids")
        tags = next((row[key] for key in _TAGS if key in row), None)
        whole = (
            isinstance(words, list)
            and bool(words)
            and (ids_in(words) is not None or all(isinstance(word, str) for word in words))
        )
        if not whole or not isinstance(tags, list) or not all(isinstance(t, str) for t in tags):
            skipped[name] = f"{name}: expected the lists `tokens` and `tags`, found {row!r:.60}"
            continue
        try:
            yield name, words, tuple(tags), part_of(row, name)  # type: ignore[misc]
        except DataError as error:
            skipped[name] = str(error)


def _cut(
    words: Sequence[str] | Sequence[int], tags: int, name: str, tokenizer: Tokenizer | None
) -> Words:
    """The words in tokens. Raises DataError: they cannot be cut, or have other tags."""
    if len(words) != tags:
        raise DataError(
            f"{name}: {counted(len(words), 'word')} and {counted(tags, 'tag')}; each word has one"
        )
    texts = [word for word in words if isinstance(word, str)]
    if not texts:
        return of_ids(name, [id for id in words if isinstance(id, int)], marks=False)
    if tokenizer is None:
        raise need_words(name)
    text = " ".join(texts)
    spans: list[tuple[int, int]] = []
    for word in texts:
        begin = spans[-1][1] + 1 if spans else 0
        spans.append((begin, begin + len(word)))
    cut = of_pieces(name, text, tokenizer.pieces(texts))
    if len(cut.firsts) != len(texts):
        raise DataError(f"{name}: a word of which the vocabulary makes no token")
    return Words(name, cut.ids, cut.firsts, tuple(spans), text)
