"""The Transformer's own sub-words: a file of tokens, and text cut into them.

The file has a token a line, whose number (from 0) is its id; what stands after a blank is left
aside (counts, say). Pieces that a word goes on after end in `@@`. Where the merges that made them
lie beside (`merges.py`), words are cut by these; else into as few pieces as there can be. Where
punctuation has the sign of OpenNMT's Tokenizer for what no blank parts, `￭`, on the side on which
it is joined (`￭,`), text comes back as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.text_reader import lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text.merges import GOES_ON, Merges, cut, merges_beside
from zoohub.manifest.entry import TextContract

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
_BLANKS = " \t\r"  # others (U+00A0, U+2028, …) are tokens of corpora that have them
JOINER = "￭"
_ROUNDING = 64  # large networks have more ids than tokens, up to a multiple of this


@dataclass(frozen=True)
class Vocabulary:
    """`tokens` in the order of their ids, and the id of each that text may have; `merges` cut
    words, where they are known."""

    tokens: tuple[str, ...]
    ids: Mapping[str, int]
    unknown: int | None
    longest: int
    merges: Merges | None = None

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end.

        What stands between blanks is a token if the vocabulary has it; else punctuation is parted
        from words, and each is cut by the merges, or else into as few pieces as possible, the
        longest first. What the vocabulary does not have is the unknown token.

        Raises:
            DataError: it cannot be cut, and there is no unknown token.
        """
        found: list[int] = []
        for word in text.split():
            if word in self.ids:
                found.append(self.ids[word])
                continue
            parts = re.findall(r"\w+|[^\w\s]", word)
            for place, part in enumerate(parts):
                sign = JOINER * (place > 0) + part + JOINER * (place < len(parts) - 1)
                if sign in self.ids:
                    found.append(self.ids[sign])
                else:
                    found += self._pieces(part) if self.merges is None else self._merged(part)
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; pieces are put together."""
        known = len(self.tokens)
        text = " ".join(self.tokens[i] if 0 <= i < known else UNKNOWN for i in ids)
        joined = re.sub(f" ?{JOINER} ?", "", (text + " ").replace(GOES_ON + " ", ""))
        return joined.strip()

    def _merged(self, word: str) -> list[int]:
        """The pieces of a word by the merges."""
        assert self.merges is not None
        ids = [self.ids.get(piece, self.unknown) for piece in cut(word, self.merges)]
        return [self._unknown(word) if id is None else id for id in ids]

    def _unknown(self, word: str) -> int:
        """The unknown token. Raises DataError: there is none."""
        if self.unknown is None:
            raise DataError(
                f"{word!r:.60} is not made of the vocabulary's tokens, and it has no {UNKNOWN}"
            )
        return self.unknown

    def _pieces(self, word: str) -> list[int]:
        """The fewest pieces of a word, found from its end: `best[i]` is how many `word[i:]` takes,
        and how long the first is."""
        size = len(word)
        best: list[tuple[int, int] | None] = [None] * size + [(0, 0)]
        for start in range(size - 1, -1, -1):
            for end in range(min(size, start + self.longest), start, -1):
                rest = best[end]
                if rest is None or self._piece(word, start, end) not in self.ids:
                    continue
                held = best[start]
                if held is None or rest[0] + 1 < held[0]:
                    best[start] = (rest[0] + 1, end - start)
        if best[0] is None:
            return [self._unknown(word)]
        found, at = [], 0
        while at < size:
            step = best[at]
            assert step is not None
            found.append(self.ids[self._piece(word, at, at + step[1])])
            at += step[1]
        return found

    @staticmethod
    def _piece(word: str, start: int, end: int) -> str:
        return word[start:end] + (GOES_ON if end < len(word) else "")


def read_vocabulary(path: Path, contract: TextContract) -> Vocabulary:
    """The vocabulary in a file, held to the network's contract.

    Raises:
        DataError: it cannot be read, has more or far fewer tokens than the network, or others where
            the network's start and end are.
    """
    lines = lines_of(read_text_file(path))
    while lines and not lines[-1].strip(_BLANKS):
        lines.pop()
    tokens = []
    for number, line in enumerate(lines, 1):
        if not line.strip(_BLANKS):
            raise DataError(f"{path}:{number}: an empty line where a token is expected")
        tokens.append(re.split(f"[{_BLANKS}]", line.strip(_BLANKS), maxsplit=1)[0])
    wanted = contract.vocab_size
    if wanted is not None and not 0 <= wanted - len(tokens) <= min(_ROUNDING, wanted // 100):
        raise DataError(
            f"{path} has {counted(len(tokens), 'token')}, the network {wanted}; give the "
            "vocabulary that it was trained with"
        )
    for id, token in ((contract.start_id, START), (contract.end_id, END)):
        if id is not None and (id >= len(tokens) or tokens[id] != token):
            found = repr(tokens[id]) if id < len(tokens) else "nothing"
            raise DataError(f"{path}:{id + 1}: the network's {token} is here, found {found}")
    ids: dict[str, int] = {}
    for id, token in enumerate(tokens):
        ids.setdefault(token, id)
    unknown = ids.get(UNKNOWN)
    for marker in (START, END, UNKNOWN):  # in a text they are letters
        ids.pop(marker, None)
    longest = max((len(token.removesuffix(GOES_ON)) for token in ids), default=1)
    return Vocabulary(tuple(tokens), ids, unknown, longest, merges_beside(path))
