"""The characters that a network tells apart, and the classes that it has beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted, plural
from zoohub.core.paths import local_path
from zoohub.core.text_reader import lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.outputs.characters import TextReader

_LONGEST = 20  # of what counts as a character: combined ones have several code points
_MOST = 100_000


def is_special(name: str) -> bool:
    """Whether a class is no character: `<blank>`, `<go>`; the sign `<` is one.

    >>> is_special("<blank>"), is_special("<")
    (True, False)
    """
    return len(name) > 2 and name.startswith("<") and name.endswith(">")


@dataclass(frozen=True)
class Layout:
    """A network's classes in order: those before the characters, the characters, those after."""

    before: tuple[str, ...]
    characters: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.before, *self.characters, *self.after)


def layout_of(names: tuple[str, ...] | None, reader: TextReader) -> Layout:
    """The classes called `names`; where they are not known, those that the reader has beside
    characters, of which there are none."""
    if names is None:
        return Layout(reader.before, (), reader.after)
    first = next((i for i, name in enumerate(names) if not is_special(name)), len(names))
    last = max((i for i, name in enumerate(names) if not is_special(name)), default=first - 1) + 1
    return Layout(names[:first], names[first:last], names[last:])


def read_dictionary(path: str | Path) -> tuple[str, ...]:
    """The characters in a file, one a line; a line may be a blank of any kind.

    Raises:
        DataError: it cannot be read, a line is empty or no character, or two are the same.
    """
    file = local_path(path)
    seen: dict[str, int] = {}
    lines = lines_of(read_text_file(file))
    while lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not 0 < len(line) <= _LONGEST:
            found = "nothing" if not line else f"{line:.40}"
            raise DataError(f"{file}:{number}: expected a character, found {found}")
        if line in seen:
            raise DataError(f"{file}:{number}: {line!r} is on line {seen[line]} already; keep one")
        seen[line] = number
    if not 0 < len(seen) <= _MOST:
        raise DataError(f"{file}: {len(seen)} characters; expected 1 to {_MOST}, one a line")
    return tuple(seen)


def with_dictionary(known: Layout, file: str | Path, classes: int) -> tuple[str, ...]:
    """The names of `classes` classes whose characters are in a file; `known` says what is beside
    them. Where it lacks one, which is not in it, that is the space, as PaddleOCR has it.

    Raises:
        DataError: they are too few or too many, or as `read_dictionary`.
    """
    return with_characters(known, read_dictionary(file), classes, str(file))


def with_characters(
    known: Layout, characters: tuple[str, ...], classes: int, name: str
) -> tuple[str, ...]:
    """See `with_dictionary`; `name` is what errors call the dictionary."""
    beside = (*known.before, *known.after)
    if len(characters) + len(beside) + 1 == classes and " " not in characters:
        characters = (*characters, " ")
    if len(characters) + len(beside) != classes:
        others = f" and {', '.join(beside)}" if beside else ""
        count = len(characters) + len(beside)
        raise DataError(
            f"{name}: {counted(len(characters), 'character')}{others} {plural(count, 'is', 'are')} "
            f"{counted(count, 'class', 'classes')}, but the network's head "
            f"has {classes}; give the dictionary it was trained with"
        )
    return (*known.before, *characters, *known.after)


def characters_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Every character of some texts once, in the order of their code points."""
    return tuple(sorted({character for text in texts for character in text}))


def spelling(names: tuple[str, ...]) -> dict[str, int]:
    """The class of each character; of a letter that is there in one case only, in both."""
    own = {name: place for place, name in enumerate(names) if not is_special(name)}
    either = {
        other: place
        for name, place in own.items()
        for other in (name.lower(), name.upper())
        if len(other) == 1
    }
    return either | own
