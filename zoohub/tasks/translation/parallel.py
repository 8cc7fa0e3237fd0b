"""Parallel text: sentences with their translations, from two .txt files or a .jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.json_reader import parse_json
from zoohub.core.text_reader import is_file, lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, Vocabulary, read_vocabulary
from zoohub.inputs.text.shipped import named_vocabulary
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import Samples, Splits, none, split_off
from zoohub.tasks.translation.recipe import ParallelData

SOURCE, TARGET, VOCABULARY = "source.txt", "target.txt", "vocab.txt"


@dataclass(frozen=True, slots=True)
class Reference:
    """The right translation: its token ids, without start and end, and its text where it was given
    as one (else empty)."""

    ids: tuple[int, ...]
    text: str = ""


Pairs = Samples[Reference]


class ParallelReader(Reader[ParallelData, Reference]):
    """See `ParallelData`."""

    data = ParallelData
    says = "a folder with source.txt and target.txt, or a .jsonl of `source` and `target`"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_dir():
            return is_file(source / SOURCE) and is_file(source / TARGET)
        if source.suffix.lower() != ".jsonl" or not is_file(source):
            return False
        with source.open("rb") as lines:
            first = lines.readline(1 << 20)
        return b'"source"' in first and b'"target"' in first

    def describe(self, source: Path) -> ParallelData:
        """See `Reader`."""
        return ParallelData("parallel", str(source.absolute()))

    def read(self, data: ParallelData, *, measuring: bool = False) -> Splits[Reference]:
        """See `Reader`; a pair that cannot be used is counted in `skipped`."""
        root = Path(data.path).expanduser()
        words = _vocabulary(root, data.vocab)
        skipped: dict[str, str] = {}
        if root.is_dir():
            train = _samples(_text_pairs(root), words, skipped)
            validation, test = (
                _samples(_text_pairs(root / name), words, skipped)
                if is_file(root / name / SOURCE)
                else none()
                for name in ("validation", "test")
            )  # fmt: skip
        else:
            train, validation, test = _samples(_json_pairs(root), words, skipped), none(), none()
        if not any(map(len, (train, validation, test))):
            reason = next(iter(skipped.values()), "it is empty")
            raise DataError(f"{root}: no sentence with its translation can be used: {reason}")
        if not len(validation) and data.validation and not measuring:
            train, validation = split_off(train, data.validation, data.seed)
        return Splits((), train, validation, test, skipped)


def _vocabulary(root: Path, file: str | None) -> Vocabulary | None:
    beside = (root if root.is_dir() else root.parent) / VOCABULARY
    if file is None and not is_file(beside):
        return None
    with named_vocabulary(beside if file is None else file) as path:
        return read_vocabulary(path, TextContract())


def _text_pairs(folder: Path) -> Iterator[tuple[str, object, object]]:
    """Names, and the two sides of each pair.

    Raises:
        DataError: the files have not as many lines as each other.
    """
    sides = [lines_of(read_text_file(folder / name)) for name in (SOURCE, TARGET)]
    if len(sides[0]) != len(sides[1]):
        raise DataError(
            f"{folder}: {SOURCE} has {counted(len(sides[0]), 'line')} and {TARGET} "
            f"{len(sides[1])}; each line is the other's translation"
        )
    for number, (source, target) in enumerate(zip(*sides, strict=True), 1):
        yield f"{folder / SOURCE}:{number}", source, target


def _json_pairs(file: Path) -> Iterator[tuple[str, object, object]]:
    for number, line in enumerate(lines_of(read_text_file(file)), 1):
        name = f"{file}:{number}"
        row = parse_json(line, name, error=DataError) if line.strip() else None
        if row is not None:
            known = row if isinstance(row, dict) else {}
            yield name, known.get("source"), known.get("target")


def _samples(
    pairs: Iterator[tuple[str, object, object]],
    words: Vocabulary | None,
    skipped: dict[str, str],
) -> Pairs:
    inputs: list[Sentence] = []
    targets: list[Reference] = []
    for name, source, target in pairs:
        try:
            ids = _ids(source, words, f"{name}: source")
            reference = Reference(
                _ids(target, words, f"{name}: target"),
                " ".join(target.split()) if isinstance(target, str) else "",
            )
        except DataError as error:
            skipped[name] = str(error)
            continue
        inputs.append(Sentence(name, ids=ids, words=words))
        targets.append(reference)
    return Samples(inputs, targets, [sentence.name for sentence in inputs])


def _ids(side: object, words: Vocabulary | None, name: str) -> tuple[int, ...]:
    if isinstance(side, str) and side.strip():
        if words is None:
            raise DataError(
                f"{name} is text, which takes the network's vocabulary: put it beside as "
                f"{VOCABULARY}, or give --set data.vocab=FILE; token ids always work"
            )
        return tuple(words.encode(side))
    whole = isinstance(side, Sequence) and bool(side)
    if whole and all(type(id) is int and id >= 0 for id in side):  # type: ignore[attr-defined]
        return tuple(side)  # type: ignore[arg-type]
    raise DataError(f"{name}: expected a text or a list of token ids, found {side!r:.40}")
