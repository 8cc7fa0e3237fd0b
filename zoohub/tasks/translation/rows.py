"""Sentences as the network takes them: token ids with their end, filled up to one length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, Vocabulary, padded, read_vocabulary
from zoohub.inputs.text.shipped import vocabulary_file
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.running import Array
from zoohub.tasks.contract import Row


@dataclass(frozen=True, slots=True)
class Language:
    """What leads from tokens to text and back: the contract, and the vocabulary where one is
    known. It is the geometry of rows."""

    contract: TextContract
    vocabulary: Vocabulary | None = None


def text_contract(contract: InputContract) -> TextContract:
    """The contract of a network that translates.

    Raises:
        DataError: it does not say what begins and ends a sentence.
    """
    text = contract.text
    if text is None or text.start_id is None or text.end_id is None:
        raise DataError(
            "the index does not say which tokens begin and end this network's sentences; "
            "write `input: {text: {start_id: …, end_id: …}}` into its entry"
        )
    return text


def vocabulary_of(contract: TextContract, file: str | None) -> Vocabulary | None:
    """The vocabulary of that file, or of the one that comes with the network; None where there is
    none. Raises as `read_vocabulary` and `vocabulary_file`."""
    with vocabulary_file(contract, file) as path:
        return None if path is None else read_vocabulary(path, contract)


def sentence_rows(language: Language) -> Callable[[Sentence], tuple[Row, ...]]:
    """What makes a sentence the one row `source_ids` and `source_mask`, int32 (length,).

    Padding after the end is taken away, and the end added where it is missing.

    Raises:
        DataError: when called: a text without a vocabulary, an id that the network does not have,
            or too long a sentence.
    """

    def prepare(sentence: Sentence) -> tuple[Row, ...]:
        array = np.array(token_ids(sentence, language), np.int32)
        own = language if sentence.words is None else replace(language, vocabulary=sentence.words)
        return (Row({"source_ids": array, "source_mask": np.ones_like(array)}, own),)

    return prepare


def token_ids(sentence: Sentence, language: Language) -> list[int]:
    """A sentence's ids with their end. Raises DataError as what `sentence_rows` gives."""
    text = language.contract
    ids = _ended(_ids(sentence, language), text)
    unknown = next((i for i in ids if text.vocab_size is not None and i >= text.vocab_size), -1)
    if unknown >= 0:
        raise DataError(
            f"{sentence.name}: token {unknown} is none of the network's {text.vocab_size}"
        )
    if text.max_length is not None and len(ids) > text.max_length:
        raise DataError(
            f"{sentence.name}: {len(ids)} tokens with its end, the network takes at most "
            f"{text.max_length}; part the sentence"
        )
    return ids


def collate_sentences(rows: Sequence[Row]) -> dict[str, Array]:
    """The rows filled up with zeros, which the mask says are none of theirs: (B, longest)."""
    return {
        name: padded([row.inputs[name] for row in rows], 0)
        for name in ("source_ids", "source_mask")
    }


def _ids(sentence: Sentence, language: Language) -> list[int]:
    if sentence.ids is not None:
        return list(sentence.ids)
    if language.vocabulary is None:
        said = language.contract.vocabulary
        which = f" ({said})" if said else ""
        raise DataError(
            f"{sentence.name!r:.60} is text, which takes the network's vocabulary{which}: give it "
            "as --vocab FILE (vocab=); token ids always work"
        )
    assert sentence.text is not None
    return language.vocabulary.encode(sentence.text)


def _ended(ids: list[int], contract: TextContract) -> list[int]:
    end = len(ids)
    while end > 1 and ids[end - 1] == contract.pad_id:
        end -= 1
    ids = ids[:end]
    assert contract.end_id is not None
    return ids if ids[-1:] == [contract.end_id] else [*ids, contract.end_id]
