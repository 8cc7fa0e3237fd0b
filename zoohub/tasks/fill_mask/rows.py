"""Texts with words left out, as encoders take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoohub.core.notes import note
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence
from zoohub.inputs.text.tokenizer import MASKS, Tokenizer
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Row
from zoohub.tasks.texts import IDS, check_ids, needed


@dataclass(frozen=True, slots=True)
class Masked:
    """A text of the data: its token ids, and at which places words are left out."""

    name: str
    ids: tuple[int, ...]
    places: tuple[int, ...]

    def cut(self, longest: int) -> Masked:
        """The first tokens and the last of a text that is longer than that, with their places."""
        if len(self.ids) <= longest:
            return self
        note(
            f"{self.name:.60}: {len(self.ids)} tokens, the network takes {longest}: the first "
            f"{longest - 1} and the last are kept"
        )
        places = tuple(place for place in self.places if place < longest - 1)
        return Masked(self.name, (*self.ids[: longest - 1], self.ids[-1]), places)


@dataclass(frozen=True, slots=True)
class Blanks:
    """What is known of a row: the places of its masks, and what its words are spelt with; `text`
    where it was one, with `spans[i]` the characters of the mask at `places[i]`."""

    contract: TextContract
    ids: tuple[int, ...]
    places: tuple[int, ...]
    tokenizer: Tokenizer | None = None
    text: str | None = None
    spans: tuple[tuple[int, int], ...] = ()


def masked_rows(
    contract: TextContract, tokenizer: Tokenizer | None, mask: int | None
) -> Callable[[Sentence | Masked], tuple[Row, ...]]:
    """What makes a text the one row `input_ids`, int32 (length,), with its `Blanks`.

    The mask is the vocabulary's; of lists of ids without one it is `mask`. Of a text of data that
    is longer than the network's longest the first tokens and the last are kept, as of any text
    that is learnt; one that is to be filled in is not cut.

    Raises:
        DataError: when called: a text without a tokenizer, one without a mask or longer than the
            network's longest, or an id that the network does not have.
    """

    def prepare(input: Sentence | Masked) -> tuple[Row, ...]:
        longest = contract.max_length
        if isinstance(input, Masked) and longest is not None:
            input = input.cut(longest)
        blanks = _of_data(input) if isinstance(input, Masked) else _of_input(input)
        check_ids(blanks.ids, contract, input.name)
        if longest is not None and len(blanks.ids) > longest:
            raise DataError(
                f"{input.name:.60}: {len(blanks.ids)} tokens, the network takes {longest}; a text "
                "with masks is not cut, shorten it"
            )
        return (Row({IDS: np.array(blanks.ids, np.int32)}, blanks),)

    def _of_data(input: Masked) -> Blanks:
        if not input.places:
            raise DataError(f"{input.name:.60}: no word is left out of what the network takes")
        return Blanks(contract, input.ids, input.places, tokenizer)

    def _of_input(input: Sentence) -> Blanks:
        known = mask if tokenizer is None else tokenizer.mask()
        if input.ids is not None:
            if known is None:
                raise DataError(
                    f"{input.name:.60}: which of these ids is the mask is not known: give it as "
                    "--mask-id N (mask_id=), or the vocabulary as --vocab FILE (vocab=)"
                )
            places = tuple(i for i, id in enumerate(input.ids) if id == known)
            return _filled(input.name, Blanks(contract, input.ids, places, tokenizer))
        assert input.text is not None
        pieces = needed(tokenizer, contract, input.name).pieces(input.text)
        if known is None:
            raise DataError("this vocabulary has no mask: none of " + ", ".join(MASKS))
        places = tuple(i for i, id in enumerate(pieces.ids) if id == known)
        spans = tuple(pieces.spans[place] for place in places)
        return _filled(
            input.name, Blanks(contract, pieces.ids, places, tokenizer, input.text, spans)
        )

    return prepare


def _filled(name: str, blanks: Blanks) -> Blanks:
    """The same. Raises DataError: no word is left out."""
    if not blanks.places:
        mark = None if blanks.tokenizer is None else blanks.tokenizer.mask()
        token = None if blanks.tokenizer is None or mark is None else blanks.tokenizer.token(mark)
        raise DataError(
            f"{name:.60}: no word is left out; write {token or 'the mask'} where one is to be found"
        )
    return blanks
