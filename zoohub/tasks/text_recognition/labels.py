"""Pictures of lines, and a text file beside them that says what each says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.paths import expanded
from zoohub.core.text_reader import lines_of, named_path, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable
from zoohub.inputs.picture.kinds import IMAGE_SUFFIXES
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import PARTS, Samples, Splits
from zoohub.tasks.text_files import beginning, parted
from zoohub.tasks.text_recognition.dictionary import characters_in, read_dictionary
from zoohub.tasks.text_recognition.recipe import LinesData

# gt.txt, rec_gt.txt, labels.txt, rec_gt_train.txt, train_gt.txt, gt_test.txt, …
_NAME = re.compile(r"(?:(?P<first>[a-z]+)_)??(?:rec_)?(?:gt|labels?)(?:_(?P<last>[a-z]+))?\.txt")
_QUOTED = re.compile(r'(?P<name>[^,\t]+?\.\w+)\s*,\s*"(?P<text>.*)"')
_PARTED = re.compile(r"(?P<name>[^,\t]+?\.\w+)(?:\t|\s*,\s*|\s+)(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Word:
    """What a picture says; and, once the network is known, the class of each character and what
    stands for none of them (`blank`), as the network's loss numbers them."""

    text: str
    ids: tuple[int, ...] = ()
    blank: int = 0


Words = Samples[Word]


class LinesReader(Reader[LinesData, Word]):
    """See `LinesData`."""

    data = LinesData
    says = "a folder of word pictures with gt.txt (name, text), or such a file"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_file():
            return source.suffix.lower() == ".txt" and _is_labels(source)
        return source.is_dir() and any(_is_labels(file) for _, file in _label_files(source))

    def describe(self, source: Path) -> LinesData:
        """See `Reader`."""
        return LinesData("lines", str(source.absolute()))

    def read(self, data: LinesData, *, measuring: bool = False) -> Splits[Word]:
        """See `Reader`; the classes are the dictionary's characters, and without one, to train on,
        all that the texts have."""
        root = expanded(data.path)
        files = [(None, root)] if root.is_file() else list(_label_files(root))
        skipped: dict[str, str] = {}
        found: list[tuple[Path, Word, str]] = []
        parts: list[str | None] = []
        for part, file in files:
            for path, text in _labelled(file, skipped):
                found.append((path, Word(text), str(path)))
                parts.append(part)
        broken = find_unreadable([path for path, _, _ in found])
        skipped.update({str(path): reason for path, reason in broken.items()})
        good = [i for i, (path, _, _) in enumerate(found) if path not in broken]
        chosen = [found[i] for i in good]
        samples = Samples(
            [path for path, _, _ in chosen],
            [word for _, word, _ in chosen],
            [name for _, _, name in chosen],
        )
        train, validation, test = parted(
            samples, [parts[i] for i in good], data.validation, data.seed, measuring=measuring
        )
        if not any(map(len, (train, validation, test) if measuring else (train,))):
            reason = next(iter(skipped.values()), "it is empty")
            raise DataError(f"{root}: no picture with its text can be used: {reason}")
        classes: tuple[str, ...] = ()
        if data.vocab is not None:
            classes = read_dictionary(data.vocab)
        elif not measuring:
            classes = characters_in(word.text for word in train.targets)
        return Splits(classes, train, validation, test, skipped)


def _label_files(root: Path) -> Iterator[tuple[str | None, Path]]:
    """The label files of a folder with the parts that their names say; where it has none, those of
    its folders `train/`, `val/`, …"""
    own = [(_NAME.fullmatch(file.name.lower()), file) for file in sorted(root.glob("*.txt"))]
    known = [(match["last"] or match["first"], file) for match, file in own if match]
    some = [(PARTS.get(said or ""), file) for said, file in known if not said or said in PARTS]
    if some:
        yield from some
        return
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        part = PARTS.get(folder.name.lower())
        for _, file in _label_files(folder) if part is not None else ():
            yield part, file


def _is_labels(file: Path) -> bool:
    """Whether its first line is a picture's name and a text."""
    try:
        lines = beginning(file).decode("utf-8-sig", "replace").splitlines()
        first = next((line for line in lines if line.strip()), "")
        name, text = parse_label(first)
    except DataError:
        return False
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and not text.startswith("[{")


def _labelled(file: Path, skipped: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """The pictures that a file names, with their texts; a line that is none is in `skipped`."""
    for number, line in enumerate(lines_of(read_text_file(file)), 1):
        if not line.strip():
            continue
        try:
            name, text = parse_label(line)
            if not text:
                raise DataError(f"{name} has no text")
        except DataError as error:
            skipped[f"{file}:{number}"] = str(error)
            continue
        yield named_path(file.parent, name), text


def parse_label(line: str) -> tuple[str, str]:
    r"""A picture's name and its text: with a tab between (MindOCR, PaddleOCR), a comma (ICDAR,
    which puts quotation marks around the text) or blanks.

    >>> parse_label("word_1.png, \"Genaxis\"")
    ('word_1.png', 'Genaxis')
    >>> parse_label("img/a b.jpg\tHello there")
    ('img/a b.jpg', 'Hello there')

    Raises:
        DataError: the line is no such thing.
    """
    line = line.strip("\r\n\ufeff")
    if "\t" in line:
        name, _, text = line.partition("\t")
        return name.strip(), text.strip()
    quoted = _QUOTED.fullmatch(line.strip())
    if quoted is not None:
        return quoted["name"].strip(), quoted["text"].replace('\\"', '"').replace("\\\\", "\\")
    match = _PARTED.fullmatch(line.strip())
    if match is None:
        raise DataError(f"expected a picture's name, a tab and its text; found {line!r:.60}")
    return match["name"].strip(), match["text"].strip()
