"""What the tasks that look at texts share: a text's token ids, and batches of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from zoohub.core.counting import counted
from zoohub.core.notes import note
from zoohub.core.text_reader import is_file
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.inputs.text.sentence import MOST_IDS
from zoohub.inputs.text.shipped import named_vocabulary, vocabulary_file
from zoohub.inputs.text.tokenizer import Tokenizer, read_tokenizer
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row

D = TypeVar("D")

IDS, KINDS, MASK = "input_ids", "token_type_ids", "attention_mask"
PLAIN = "ids"  # what networks call the ids that take nothing else
_SPARE = 1024  # ids: large networks have more than tokens, up to a round number
_ROUNDED = 16  # lengths are filled up to a multiple of this, of which few are compiled
POSITIONS = "position_ids"
_VOCABULARIES = ("tokenizer.json", "vocab.txt")  # beside the data


def text_contract(contract: InputContract) -> TextContract:
    """The contract of a network that reads text. Raises DataError: it has none."""
    if contract.text is None:
        raise DataError(
            "the index does not say how this network's text is made; write `input: {text: …}` into "
            "its entry"
        )
    return contract.text


def tokenizer_of(contract: TextContract, file: str | None) -> Tokenizer | None:
    """The tokenizer of that file, or of the one that comes with the network; None where there is
    none. Raises as `read_tokenizer` and `vocabulary_file`."""
    with vocabulary_file(contract, file) as path:
        if path is None:
            return None
        found = read_tokenizer(path, contract.vocab_size)
        if contract.vocab_size is not None and contract.vocab_size - found.size >= _SPARE:
            _tell_smaller(path, found.size, contract.vocab_size)
        return found


@functools.cache
def _tell_smaller(path: Path, found: int, wanted: int) -> None:
    """Once a file, which is read more than once: one may mean it, for a network trained so."""
    note(
        f"{path} has {counted(found, 'token')}, the network's table {wanted}: with another "
        "vocabulary than it was trained with, what it says means nothing"
    )


def with_vocabulary(data: D, contract: InputContract | None) -> D:
    """The description of data that names the network's own vocabulary, where that comes with the
    package and the data names none."""
    text = None if contract is None else contract.text
    unsaid = getattr(data, "vocab", "") is None  # pictures have no such field
    if not unsaid or text is None or text.shipped_vocabulary is None:
        return data
    named: D = replace(data, vocab=text.vocabulary)  # type: ignore[type-var]
    return named


def tokenizer_beside(file: Path, vocab: str | None) -> Tokenizer | None:
    """The tokenizer that cuts a file of data: that of `vocab`, else what lies beside it; None where
    there is none. Raises as `read_tokenizer` and `named_vocabulary`."""
    if vocab is not None:
        with named_vocabulary(vocab) as path:
            return read_tokenizer(path)
    found = next(filter(is_file, (file.with_name(name) for name in _VOCABULARIES)), None)
    return None if found is None else read_tokenizer(found)


def token_ids(
    sentence: Sentence, contract: TextContract, tokenizer: Tokenizer | None = None
) -> list[int]:
    """The ids of a text. Raises DataError as what `text_rows` gives."""
    ids = list(sentence.ids) if sentence.ids is not None else _cut(sentence, contract, tokenizer)
    check_ids(ids, contract, sentence.name)
    longest = contract.max_length
    if longest is not None and len(ids) > longest:
        note(
            f"{sentence.name:.60}: {len(ids)} tokens, the network takes {longest}: the first "
            f"{longest - 1} and the last are kept"
        )
        ids = [*ids[: longest - 1], ids[-1]]
    return ids


def check_ids(ids: Sequence[int], contract: TextContract, name: str) -> None:
    """That a network has these ids. Raises DataError: it does not."""
    size = contract.vocab_size
    wrong = next((id for id in ids if id >= (MOST_IDS if size is None else size)), None)
    if wrong is not None:
        known = "those a network could have" if size is None else f"the network's {size}"
        raise DataError(f"{name:.60}: token {wrong} is none of {known}")


def _cut(sentence: Sentence, contract: TextContract, tokenizer: Tokenizer | None) -> list[int]:
    assert sentence.text is not None
    return needed(tokenizer, contract, sentence.name).encode(sentence.text)


def needed(tokenizer: Tokenizer | None, contract: TextContract, name: str) -> Tokenizer:
    """The tokenizer that a text takes. Raises DataError: there is none."""
    if tokenizer is None:
        said = contract.vocabulary or "its vocab.txt or tokenizer.json"
        raise DataError(
            f"{name!r:.60} is text, which takes the network's vocabulary ({said}): give "
            "it as --vocab FILE (vocab=); token ids always work"
        )
    return tokenizer


def encoder_batch(
    rows: Sequence[Row], contract: TextContract, length: int | None = None
) -> dict[str, Array]:
    """All that encoders take of texts, (B, L) each: L is `length`, or the longest text's, rounded
    up as far as the network goes. Rows may bring the kinds of their tokens; else all are 0."""
    texts = [row.inputs[IDS] for row in rows]
    if length is None:
        length = rounded(max(map(len, texts)), contract)
    kinds = [row.inputs.get(KINDS, np.zeros(len(row.inputs[IDS]))) for row in rows]
    ids = padded(texts, contract.pad_id, length)
    return {
        IDS: ids,
        KINDS: padded(kinds, 0, length),
        MASK: padded([np.ones(len(text)) for text in texts], 0, length),
        POSITIONS: np.broadcast_to(np.arange(length, dtype=np.int32), ids.shape).copy(),
    }


def lengthened(batch: Arrays, length: int, contract: TextContract) -> dict[str, Array]:
    """A batch of texts filled up to `length` tokens, as exported files of one length take them."""
    filled = dict(batch)
    for name, fill in ((IDS, contract.pad_id), (KINDS, 0), (MASK, 0)):
        if name in batch:
            filled[name] = padded(list(batch[name]), fill, length)
    if POSITIONS in batch:
        places = np.arange(length, dtype=np.int32)
        filled[POSITIONS] = np.broadcast_to(places, (len(batch[POSITIONS]), length)).copy()
    return filled


def run_encoder(runner: Runner, batch: Arrays) -> dict[str, Array]:
    """What an encoder gives for a batch, of which it is given what it takes.

    Raises:
        DataError: it takes something else.
    """
    unknown = [name for name in runner.inputs if name not in batch]
    if unknown:
        raise DataError(f"the network takes {', '.join(unknown)}, which no text has")
    return runner.run({name: batch[name] for name in runner.inputs})


def rounded(length: int, contract: TextContract) -> int:
    """The length that texts of at most `length` tokens are filled up to."""
    whole = -(-length // _ROUNDED) * _ROUNDED
    return whole if contract.max_length is None else max(length, min(whole, contract.max_length))
