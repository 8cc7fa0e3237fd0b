"""Texts as encoders take them: ids, kinds of tokens, and which places count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.core.notes import note
from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.inputs.text.sentence import MOST_IDS
from zoohub.inputs.text.shipped import vocabulary_file
from zoohub.inputs.text.tokenizer import Tokenizer, read_tokenizer
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row

IDS, KINDS, MASK = "input_ids", "token_type_ids", "attention_mask"
PLAIN = "ids"  # what networks call the ids that take nothing else
_ROUNDED = 16  # lengths are filled up to a multiple of this, of which few are compiled
_SHORTEST = 8  # tokens: kernels reach over some


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
        return None if path is None else read_tokenizer(path, contract.vocab_size)


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


def token_ids(
    sentence: Sentence, contract: TextContract, tokenizer: Tokenizer | None = None
) -> list[int]:
    """The ids of a text. Raises DataError as what `text_rows` gives."""
    ids = list(sentence.ids) if sentence.ids is not None else _cut(sentence, contract, tokenizer)
    size = contract.vocab_size
    wrong = next((id for id in ids if id >= (MOST_IDS if size is None else size)), None)
    if wrong is not None:
        known = "those a network could have" if size is None else f"the network's {size}"
        raise DataError(f"{sentence.name:.60}: token {wrong} is none of {known}")
    longest = contract.max_length
    if longest is not None and len(ids) > longest:
        note(
            f"{sentence.name:.60}: {len(ids)} tokens, the network takes {longest}: the first "
            f"{longest - 1} and the last are kept"
        )
        ids = [*ids[: longest - 1], ids[-1]]
    return ids


def _cut(sentence: Sentence, contract: TextContract, tokenizer: Tokenizer | None) -> list[int]:
    if tokenizer is None:
        said = contract.vocabulary or "its vocab.txt or tokenizer.json"
        raise DataError(
            f"{sentence.name!r:.60} is text, which takes the network's vocabulary ({said}): give "
            "it as --vocab FILE (vocab=); token ids always work"
        )
    assert sentence.text is not None
    return tokenizer.encode(sentence.text)


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


def rounded(length: int, contract: TextContract) -> int:
    """The length that texts of at most `length` tokens are filled up to."""
    whole = -(-length // _ROUNDED) * _ROUNDED
    return whole if contract.max_length is None else max(length, min(whole, contract.max_length))


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
