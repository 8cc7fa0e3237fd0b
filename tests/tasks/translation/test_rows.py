"""Sentences as rows, and what cannot be one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.sequences import Sequences
from zoohub.tasks.finding import find_task
from zoohub.tasks.translation.interpret import TranslationOptions

TEXT = TextContract(
    max_length=5, vocab_size=10, start_id=1, end_id=2, vocabulary="vocab.bpe, of its publisher",
    max_decode_length=5,
)  # fmt: skip
TASK = find_task("machine-translation")


def ids(sentence: Sentence) -> list[int]:
    (row,) = TASK.prepare(InputContract(text=TEXT))(sentence)
    assert row.inputs["source_mask"].tolist() == [1] * len(row.inputs["source_ids"])
    return row.inputs["source_ids"].tolist()


def test_a_sentence_has_its_end_and_no_padding() -> None:
    assert ids(Sentence("a", ids=(5, 6))) == [5, 6, 2]
    assert ids(Sentence("a", ids=(5, 6, 2))) == [5, 6, 2]
    assert ids(Sentence("a", ids=(5, 6, 2, 0, 0, 0, 0))) == [5, 6, 2]
    assert ids(Sentence("a", ids=(0, 5, 0))) == [0, 5, 2]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (Sentence("a", ids=(5,) * 5), "^a: 6 tokens with its end, the network takes at most 5"),
        (Sentence("a", ids=(5, 10)), "^a: token 10 is none of the network's 10"),
        (
            Sentence("good day", text="good day"),
            r"^'good day' is text, .* \(vocab.bpe, of its publisher\): give it as --vocab FILE .*; "
            "token ids always work$",
        ),
    ],
)
def test_what_the_network_cannot_take_is_one_line(sentence: Sentence, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ids(sentence)


def test_rows_of_a_batch_are_filled_up_to_the_longest() -> None:
    prepare = TASK.prepare(InputContract(text=TEXT))
    rows = [row for n in (1, 3) for row in prepare(Sentence("a", ids=(5,) * n))]
    batch = TASK.collate(rows)
    assert batch["source_ids"].tolist() == [[5, 2, 0, 0], [5, 5, 5, 2]]
    assert batch["source_mask"].tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_a_contract_without_start_and_end_is_refused() -> None:
    for contract in (InputContract(), InputContract(text=replace(TEXT, end_id=None))):
        with pytest.raises(DataError, match="does not say which tokens begin and end"):
            TASK.prepare(contract, TranslationOptions())


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_an_error_and_no_translation(wrong: float) -> None:
    rows = TASK.prepare(InputContract(text=TEXT))(Sentence("a", ids=(5, 6)))
    form = Sequences(np.full((1, 2, 3), 5, np.int32), np.full((1, 2), wrong, np.float32))
    with pytest.raises(DataError, match="values that are not finite"):
        TASK.interpret(form, rows, None, TranslationOptions())
