"""Writing a token at a time, over a network of a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from zoohub.core.values import check_values
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Sentence
from zoohub.inputs.text.subwords import SubWords
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.tasks.finding import find_task
from zoohub.tasks.generation.memory import RememberingReader
from zoohub.tasks.generation.options import GenerationOptions
from zoohub.tasks.generation.rows import Prompt
from zoohub.tasks.generation.spelling import cut, settled, spelt
from zoohub.tasks.generation.writing import write

LETTERS = "abcdefghij"
WORDS = SubWords(
    lambda text: [LETTERS.index(c) for c in text],
    lambda ids: "".join(LETTERS[i] for i in ids),
    len(LETTERS),
)
TASK = find_task("language-model")


def prompt(ids: Sequence[int], *, words: bool = False, **options: Any) -> Prompt:
    known = GenerationOptions(**options)
    return Prompt("p", tuple(ids), 12 - len(ids), 9, known, WORDS if words else None)


class Network:
    """After token t comes t + 1, and somewhat less likely t + 2; of ten. It notes how many rows it
    was asked about, and with how many new tokens of each."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []

    def begin(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        assert ids.dtype == lengths.dtype == np.int32
        self.batches.append(ids.shape)
        self.last = ids[np.arange(len(ids)), lengths - 1]
        return self.scores()

    def go_on(self, kept: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        assert tokens.dtype == np.int32
        self.batches.append((len(kept), 1))
        assert len(kept) == len(tokens) <= len(self.last)
        self.last = tokens
        return self.scores()

    def scores(self) -> np.ndarray:
        rows = np.arange(len(self.last))
        scores = np.full((len(rows), 10), -3, np.float32)
        scores[rows, (self.last + 1) % 10] = 2
        scores[rows, (self.last + 2) % 10] = 1
        return scores


class Cumulative:
    """A network of ten tokens in the two parts that writing asks: after tokens that sum to s comes
    the last digit of s. Its memory of a token is that token; fillings are 99."""

    inputs = ()

    def __init__(self) -> None:
        self.room: list[int] = []

    def run(self, inputs: Any) -> Any:
        ids, lengths = inputs["ids"], inputs["lengths"]
        past = inputs.get("past", np.zeros((len(ids), 2, 1, 0, 1), np.float32))
        counts = inputs.get("counts", np.zeros(len(ids), np.int32))
        self.room.append(past.shape[3])
        kept = [past[row, 0, 0, :count, 0].sum() for row, count in enumerate(counts)]
        own = [row[:length].sum() for row, length in zip(ids, lengths, strict=True)]
        scores = np.eye(10, dtype=np.float32)[(np.array(kept) + own).astype(int) % 10]
        told = np.where(np.arange(ids.shape[1]) < lengths[:, None], ids, 99)
        memory = np.broadcast_to(told[:, None, None, :, None], (len(ids), 2, 1, ids.shape[1], 1))
        return {"logits": scores, "memory": memory.astype(np.float32)}


def test_each_token_is_the_likeliest_after_those_before_it() -> None:
    assert write(Network(), [prompt([0], max_new_tokens=4)]) == [[1, 2, 3, 4]]


def test_the_end_token_ends_an_answer_and_is_none_of_it() -> None:
    assert write(Network(), [prompt([5])]) == [[6, 7, 8]]
    assert write(Network(), [prompt([8])]) == [[]]


def test_an_answer_ends_where_the_network_takes_no_more() -> None:
    assert write(Network(), [prompt([0] * 10)]) == [[1, 2]]
    assert write(Network(), [prompt([0] * 11)]) == [[1]]


def test_finished_answers_leave_the_batch() -> None:
    network = Network()
    found = write(network, [prompt([7]), prompt([0, 1, 2, 3, 4])])
    assert found == [[8], [5, 6, 7, 8]]
    assert network.batches == [(2, 5), (2, 1), (1, 1), (1, 1), (1, 1)]


def test_each_row_remembers_its_own_tokens_and_no_filling() -> None:
    network = Cumulative()
    prompts = [[1], [2, 3, 1], [4, 4], [1] * 70, [5]]
    asked = [Prompt("p", tuple(ids), 200 - len(ids), 6, GenerationOptions()) for ids in prompts]
    found = write(RememberingReader(network, network), asked)
    for ids, tokens in zip(prompts, found, strict=True):
        so_far, wanted = list(ids), []
        while len(wanted) < 32 and (following := sum(so_far) % 10) != 6:
            wanted.append(following)
            so_far.append(following)
        assert tokens == wanted
    assert len({len(tokens) for tokens in found}) > 1
    assert set(network.room) == {0, 128}


def test_a_seed_repeats_whatever_else_is_in_the_batch() -> None:
    drawn: dict[str, Any] = {"temperature": 3.0, "max_new_tokens": 8, "seed": 1}
    one, other = prompt([0], **drawn), prompt([3, 4], **drawn)
    alone = write(Network(), [one])[0]
    assert write(Network(), [other, one])[1] == alone
    seeds = {tuple(write(Network(), [prompt([0], **{**drawn, "seed": s})])[0]) for s in range(9)}
    assert len(seeds) > 3


def test_the_likeliest_of_one_is_the_likeliest() -> None:
    prompts = [[0], [3, 4]]
    greedy = write(Network(), [prompt(ids) for ids in prompts])
    assert write(Network(), [prompt(ids, top_k=1, seed=5) for ids in prompts]) == greedy
    assert write(Network(), [prompt(ids, top_p=0.0) for ids in prompts]) == greedy


def test_a_stop_ends_the_answer_before_it() -> None:
    told: list[str] = []
    options: dict[str, Any] = {"on_text": lambda name, text: told.append(text)}
    stopping = prompt([0], words=True, stop=("efx", "de"), **options)
    assert write(Network(), [stopping]) == [[1, 2, 3, 4]]
    assert told == ["b", "c"]  # what a stop may begin with is held back
    assert cut(spelt(WORDS, [0], [1, 2, 3, 4]), ("efx", "de")) == ("bc", True)
    told.clear()
    write(Network(), [prompt([0], words=True, stop="ex", max_new_tokens=4, **options)])
    assert told == ["b", "c", "d", "e"]  # and comes when the answer is complete


def test_tokens_are_told_as_they_come() -> None:
    told: list[tuple[str, str]] = []
    write(Network(), [prompt([5], on_text=lambda *piece: told.append(piece))])
    assert told == [("p", "6"), ("p", " 7"), ("p", " 8")]


def test_half_a_character_is_not_told() -> None:
    assert settled("caf\ufffd", ()) == "caf"
    assert settled("a\n", ("\n\n",)) == "a"
    assert settled("a\n", ()) == "a\n"


def test_the_blank_before_its_first_word_belongs_to_the_answer() -> None:
    pieces = ["Good", " day", "\ufffd"]
    words = SubWords(lambda text: [], lambda ids: "".join(pieces[i] for i in ids).strip(), 3)
    assert spelt(words, [0], [1]) == " day"


def test_what_is_no_number_is_refused() -> None:
    class Silent(Network):
        def scores(self) -> np.ndarray:
            return np.full((1, 10), np.nan, np.float32)

    with pytest.raises(DataError, match="not finite"):
        write(Silent(), [prompt([0])])


def prepared(sentence: Sentence, **text: Any) -> Any:
    contract = InputContract(text=TextContract(**{"max_length": 4, "vocab_size": 10, **text}))
    return TASK.prepare(contract)(sentence)


def test_a_prompt_that_cannot_go_on_is_one_clear_line() -> None:
    (row,) = prepared(Sentence("a", ids=(1, 2, 3)))
    assert row.inputs["ids"].tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"^a: 4 tokens leave no room for another, .* at most 4"):
        prepared(Sentence("a", ids=(1, 2, 3, 4)))
    with pytest.raises(DataError, match=r"^a: token 10 is none of the network's 10"):
        prepared(Sentence("a", ids=(10,)))
    with pytest.raises(DataError, match=r"'hi' is text, .* \(t\.json\).* token ids always work"):
        prepared(Sentence("hi", text="hi"), vocabulary="t.json")
    with pytest.raises(DataError, match=r"max_length: …"):
        prepared(Sentence("a", ids=(1,)), max_length=None)


def test_options_that_cannot_be_followed_are_refused() -> None:
    contract = InputContract(text=TextContract(max_length=4))
    with pytest.raises(UsageError, match="stop= is text"):
        TASK.prepare(contract, GenerationOptions(stop="a"))
    with pytest.raises(UsageError, match="seed=-1"):
        TASK.prepare(contract, GenerationOptions(seed=-1))
    for name, value in (("top_k", 0), ("top_p", 1.5), ("temperature", -1), ("stop", ""),
                        ("stop", [1]), ("max_new_tokens", 0)):  # fmt: skip
        with pytest.raises(UsageError, match=f"^{name}="):
            check_values({name: value})


def test_what_is_told_of_pieces_can_be_called() -> None:
    with pytest.raises(UsageError, match="on_text=5: a function of two texts is needed"):
        TASK.prepare(InputContract(text=TextContract(max_length=9)), GenerationOptions(on_text=5))  # type: ignore[arg-type]


def test_an_id_that_no_network_could_have_is_one_line() -> None:
    prepare = TASK.prepare(InputContract(text=TextContract(max_length=9)))
    with pytest.raises(DataError, match="token 4294967295 is none of those a network could have"):
        prepare(Sentence("a", ids=(4294967295,)))
