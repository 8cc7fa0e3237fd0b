"""Prompts as the network takes them: token ids, none of them unknown, with room for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zoohub.core.counting import counted
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Sentence, padded
from zoohub.inputs.text.sentence import MOST_IDS
from zoohub.inputs.text.shipped import vocabulary_file
from zoohub.inputs.text.subwords import SubWords, read_subwords
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.running import Array
from zoohub.tasks.contract import Row
from zoohub.tasks.generation.options import GenerationOptions
from zoohub.tasks.generation.windows import Passage, windows


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to go on, or to be answered, and how. It is the geometry of rows.

    `room` is how many tokens may follow `ids`; `answered`: they are a text of their own.
    """

    name: str
    ids: tuple[int, ...]
    room: int
    end_id: int | None
    options: GenerationOptions
    words: SubWords | None = None
    answered: bool = False

    @property
    def before(self) -> tuple[int, ...]:
        """The tokens whose text the new ones' goes on."""
        return () if self.answered else self.ids


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a text that is to be foretold. It is the geometry of rows."""

    name: str


def prompt_rows(
    contract: InputContract, options: GenerationOptions
) -> Callable[[Sentence | Passage], tuple[Row, ...]]:
    """What makes a prompt the one row `ids`, int32 (length,), and `lengths`, int32 (); and a
    passage that is to be foretold its windows.

    A text begins with the contract's start token, where there is one, and has no end; token ids
    are taken as they are. What a network answers (`is_answered`) ends with the end token instead.

    Raises:
        UsageError: text to stop at without a vocabulary.
        DataError: the contract does not say how many tokens the network takes, or as
            `read_subwords`. When called: a text without a vocabulary, an id that the network does
            not have, or a prompt that leaves no room.
    """
    text, longest = known_text(contract)
    answered = is_answered(text)
    with vocabulary_file(text, options.vocab) as file:
        words = None if file is None else read_subwords(file, text)
    if options.stops() and words is None:
        raise UsageError("stop= is text, which takes the network's vocabulary: give vocab= too")

    def prepare(sentence: Sentence | Passage) -> tuple[Row, ...]:
        if isinstance(sentence, Passage):
            return window_rows(sentence, text, longest)
        ids = _ids(sentence, text, words)
        room = _room(sentence.name, ids, text, longest)
        arrays = {"ids": np.array(ids, np.int32), "lengths": np.array(len(ids), np.int32)}
        prompt = Prompt(sentence.name, tuple(ids), room, text.end_id, options, words, answered)
        return (Row(arrays, prompt),)

    return prepare


def window_rows(passage: Passage, text: TextContract, longest: int) -> tuple[Row, ...]:
    """A passage as rows of at most `longest` tokens, see `windows`. Raises DataError: the network
    does not have one of its ids, or answers texts."""
    if is_answered(text):
        raise DataError(
            f"{passage.name}: this network answers a text with another, and foretells none; zoohub "
            "measures language models that go on with a text"
        )
    check_known(passage.name, passage.ids, text)
    return tuple(
        Row(
            {"ids": np.array(ids, np.int32), "lengths": np.array(len(ids), np.int32)},
            Window(passage.name),
        )
        for ids in windows(passage.ids, longest)
    )


def known_text(contract: InputContract) -> tuple[TextContract, int]:
    """What is known of a language model's text, and how many tokens it takes.

    Raises:
        DataError: that is not known.
    """
    text = contract.text
    if text is None or text.max_length is None:
        raise DataError(
            "the index does not say how many tokens this network takes; write `input: {text: "
            "{max_length: …}}` into its entry"
        )
    return text, text.max_length


def is_answered(text: TextContract) -> bool:
    """Whether the network writes a text of its own, of so many tokens, rather than go on."""
    return text.max_decode_length is not None


def collate_prompts(rows: Sequence[Row]) -> dict[str, Array]:
    """`ids` (B, longest), filled up after their ends, and `lengths` (B,)."""
    return {
        "ids": padded([row.inputs["ids"] for row in rows], 0),
        "lengths": np.array([row.inputs["lengths"] for row in rows], np.int32),
    }


def prompts_of(rows: Sequence[Row]) -> list[Prompt]:
    """The geometry of rows."""
    return [row.geometry for row in rows if isinstance(row.geometry, Prompt)]


def _ids(sentence: Sentence, text: TextContract, words: SubWords | None) -> list[int]:
    if sentence.ids is not None:
        return _ended(list(sentence.ids), text)
    if words is None:
        which = f" ({text.vocabulary})" if text.vocabulary else ""
        raise DataError(
            f"{sentence.name!r:.60} is text, which takes the network's vocabulary{which}: give it "
            "as --vocab FILE (vocab=); token ids always work"
        )
    assert sentence.text is not None
    ids = words.encode(sentence.text)
    if is_answered(text):
        return _ended(ids, text)
    if text.start_id is not None and ids[:1] != [text.start_id]:
        ids = [text.start_id, *ids]
    while len(ids) > 1 and ids[-1] == text.end_id:  # it is to go on
        ids = ids[:-1]
    if not ids:
        raise DataError(f"{sentence.name!r:.60} has no token in this vocabulary")
    return ids


def _ended(ids: list[int], text: TextContract) -> list[int]:
    """With the end token, where the network answers what has one."""
    if not is_answered(text) or text.end_id is None or ids[-1:] == [text.end_id]:
        return ids
    return [*ids, text.end_id]


def check_known(name: str, ids: Sequence[int], text: TextContract) -> None:
    """That the network has all these ids. Raises DataError: it has not."""
    size = text.vocab_size
    unknown = next((id for id in ids if id >= (MOST_IDS if size is None else size)), None)
    if unknown is not None:
        known = "those a network could have" if size is None else f"the network's {size}"
        raise DataError(f"{name}: token {unknown} is none of {known}")


def _room(name: str, ids: Sequence[int], text: TextContract, longest: int) -> int:
    """How many tokens may follow. Raises DataError: none, or the network does not have one."""
    check_known(name, ids, text)
    if text.max_decode_length is not None:
        if len(ids) > longest:
            raise DataError(
                f"{name:.60}: {len(ids)} tokens with its end, the network takes at most {longest}; "
                "part the text"
            )
        return min(text.max_decode_length, longest)
    if len(ids) >= longest:
        raise DataError(
            f"{name:.60}: {counted(len(ids), 'token leaves', 'tokens leave')} no room for another, "
            f"the network takes at most {longest}; cut its beginning"
        )
    return longest - len(ids)
