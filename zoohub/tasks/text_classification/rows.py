"""Texts as encoders take them: ids, kinds of tokens, and which places count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.manifest.entry import TextContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row
from zoohub.tasks.texts import (
    IDS,
    KINDS,
    MASK,
    PLAIN,
    rounded,
    text_contract,
    token_ids,
    tokenizer_of,
)

__all__ = [
    "IDS",
    "KINDS",
    "MASK",
    "PLAIN",
    "collate_texts",
    "rounded",
    "run_texts",
    "text_contract",
    "text_rows",
    "token_ids",
    "tokenizer_of",
]

_SHORTEST = 8  # tokens: kernels reach over some


def text_rows(
    contract: TextContract, tokenizer: Tokenizer | None
) -> Callable[[Sentence], tuple[Row, ...]]:
    """What makes a text the one row `input_ids`, int32 (length,).

    Token ids are taken as they are, with the marks that they bring along. Of a text longer than the
    network's longest, the first tokens are kept, and its last (which ends it) after them: that is
    said.

    Raises:
        DataError: when called: a text without a tokenizer, or an id that the network does not have.
    """

    def prepare(sentence: Sentence) -> tuple[Row, ...]:
        return (Row({IDS: np.array(token_ids(sentence, contract, tokenizer), np.int32)}, contract),)

    return prepare


def collate_texts(rows: Sequence[Row], length: int | None = None) -> dict[str, Array]:
    """The three arrays (B, L) that encoders know: L is `length`, or the longest text's, rounded up
    as far as the network goes."""
    contract = rows[0].geometry
    assert isinstance(contract, TextContract)
    texts = [row.inputs[IDS] for row in rows]
    if length is None:
        length = rounded(max(map(len, texts)), contract)
    ids = padded(texts, contract.pad_id, length)
    mask = padded([np.ones(len(text)) for text in texts], 0, length)
    return {IDS: ids, KINDS: np.zeros_like(ids), MASK: mask}


def run_texts(runner: Runner, batch: Arrays, contract: TextContract) -> dict[str, Array]:
    """What a network gives for a batch, of which it is given what it takes.

    One that takes no mask is to see what it saw in training: texts filled up to `max_length`; where
    that is not known, each as long as it is, for whatever is filled up would count.

    Raises:
        DataError: it takes something else.
    """
    if runner.inputs == (PLAIN,):
        return _unmasked(runner, batch, contract)
    unknown = [name for name in runner.inputs if name not in batch]
    if unknown:
        raise DataError(f"the network takes {', '.join(unknown)}, which no text has")
    return runner.run({name: batch[name] for name in runner.inputs})


def _unmasked(runner: Runner, batch: Arrays, contract: TextContract) -> dict[str, Array]:
    texts = [ids[: int(mask.sum())] for ids, mask in zip(batch[IDS], batch[MASK], strict=True)]
    lengths = [contract.max_length or max(_SHORTEST, len(text)) for text in texts]
    found: list[Mapping[str, Array]] = [{}] * len(texts)
    for length in sorted(set(lengths)):
        places = [place for place, own in enumerate(lengths) if own == length]
        ids = padded([texts[place] for place in places], contract.pad_id, length)
        given = runner.run({PLAIN: ids})
        for number, place in enumerate(places):
            found[place] = {name: array[number] for name, array in given.items()}
    return {name: np.stack([one[name] for one in found]) for name in found[0]}
