"""Texts as taggers take them: a word is tagged at its first token (Devlin et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zoohub.core.counting import counted, plural
from zoohub.core.notes import note
from zoohub.inputs.text import Sentence
from zoohub.inputs.text.tokenizer import Pieces, Tokenizer
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Row
from zoohub.tasks.texts import IDS, check_ids, needed


@dataclass(frozen=True, slots=True)
class Words:
    """A text in words: of each the place of its first token among `ids`, and its characters
    (begin, end) of `text`; where there is no text, its tokens."""

    name: str
    ids: tuple[int, ...]
    firsts: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    text: str | None = None
    contract: TextContract = field(default_factory=TextContract)


def word_rows(
    contract: TextContract, tokenizer: Tokenizer | None
) -> Callable[[Sentence | Words], tuple[Row, ...]]:
    """What makes a text the one row `input_ids`, int32 (length,), with its `Words`.

    Words are what the vocabulary's own cutting into words gives (by blanks and punctuation, and
    each Chinese character); of token ids each is a word but the first and the last, the marks. Of
    a text longer than the network's longest, the first tokens are kept, and its last (which ends
    it) after them: that is said, and the words behind have no tag.

    Raises:
        DataError: when called: a text without a tokenizer, or an id that the network does not have.
    """

    def prepare(input: Sentence | Words) -> tuple[Row, ...]:
        words = input if isinstance(input, Words) else _words(input)
        check_ids(words.ids, contract, words.name)
        words = replace(_cut(words, contract), contract=contract)
        return (Row({IDS: np.array(words.ids, np.int32)}, words),)

    def _words(input: Sentence) -> Words:
        if input.ids is not None:
            return of_ids(input.name, input.ids, marks=True)
        assert input.text is not None
        pieces = needed(tokenizer, contract, input.name).pieces(input.text)
        return of_pieces(input.name, input.text, pieces)

    return prepare


def of_pieces(name: str, text: str, pieces: Pieces) -> Words:
    """A text that a vocabulary has cut."""
    firsts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for place, word in enumerate(pieces.words):
        if word is not None:
            firsts.setdefault(word, place)
            ends[word] = pieces.spans[place][1]
    spans = tuple((pieces.spans[place][0], ends[word]) for word, place in firsts.items())
    return Words(name, pieces.ids, tuple(firsts.values()), spans, text)


def of_ids(name: str, ids: Sequence[int], *, marks: bool) -> Words:
    """Token ids, each a word; but for the first and the last where these are `marks`."""
    places = range(1, len(ids) - 1) if marks else range(len(ids))
    return Words(name, tuple(ids), tuple(places), tuple((place, place + 1) for place in places))


def _cut(words: Words, contract: TextContract) -> Words:
    longest = contract.max_length
    if longest is None or len(words.ids) <= longest:
        return words
    left = sum(place < longest - 1 for place in words.firsts)
    lost = len(words.firsts) - left
    note(
        f"{words.name:.60}: {len(words.ids)} tokens, the network takes {longest}: the last "
        f"{lost} of {counted(len(words.firsts), 'word')} {plural(lost, 'has', 'have')} no tag"
    )
    ids = (*words.ids[: longest - 1], words.ids[-1])
    return replace(words, ids=ids, firsts=words.firsts[:left], spans=words.spans[:left])
