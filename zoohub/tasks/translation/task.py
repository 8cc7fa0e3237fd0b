"""Sentences, and what they are in another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.outputs.sequences import Sequences
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Figure, PredictedTask, Row
from zoohub.tasks.translation.beam_search import Search, beam_search
from zoohub.tasks.translation.interpret import Translation, TranslationOptions, best_of
from zoohub.tasks.translation.rows import (
    Language,
    collate_sentences,
    sentence_rows,
    text_contract,
    vocabulary_of,
)


class TranslationTask(PredictedTask):
    """See `Task`. The network has two parts, `encode` and `step`, and the search is here."""

    serves = ("machine-translation",)
    kind = "text"
    title = "translate sentences"
    figures = (Figure("bleu", "BLEU"),)
    headline = ("bleu",)
    published = ("bleu",)
    options = TranslationOptions

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        file = options.vocab if isinstance(options, TranslationOptions) else None
        return sentence_rows(Language(text, vocabulary_of(text, file)))

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return collate_sentences(rows)

    def infer(
        self, runners: Mapping[str, Runner], batch: Arrays, contract: InputContract
    ) -> dict[str, Array]:
        """`ids` and `scores` of the beams that a search ends with."""
        return translate(runners["encode"], runners["step"], batch, search_of(contract))

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TranslationOptions,
    ) -> list[tuple[Translation, ...]]:
        """See `Task`; there are no classes."""
        if not isinstance(form, Sequences):
            raise DataError(f"expected sequences from the search; got {type(form).__name__}")
        return best_of(form, [_language(row) for row in rows])


def search_of(contract: InputContract) -> Search:
    """The search that a contract asks for.

    Raises:
        DataError: it does not say how long a translation may be.
    """
    text = text_contract(contract)
    assert text.start_id is not None
    assert text.end_id is not None
    if text.max_decode_length is None:
        raise DataError("the index does not say how long a translation may be (max_decode_length)")
    return Search(
        text.start_id, text.end_id, text.beam_width, text.max_decode_length, text.length_penalty
    )


def translate(encode: Runner, step: Runner, batch: Arrays, search: Search) -> dict[str, Array]:
    """Search with a network's two parts: `source_ids`, `source_mask` (N, S) -> `ids` (N, K, T) and
    `scores` (N, K)."""
    sentences = len(batch["source_ids"])
    memory = encode.run(batch)["memory"]
    seen = {
        "memory": np.repeat(memory, search.width, 0),
        "source_mask": np.repeat(batch["source_mask"], search.width, 0),
    }
    beams = beam_search(
        lambda ids: step.run({**seen, "target_ids": ids})["log_probabilities"], sentences, search
    )
    return {"ids": beams.ids, "scores": beams.scores(search.length_penalty)}


def _language(row: Row) -> Language:
    assert isinstance(row.geometry, Language)
    return row.geometry


TASK = TranslationTask()
