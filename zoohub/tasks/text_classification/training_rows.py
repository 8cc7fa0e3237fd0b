"""Labelled texts as a network is trained on them."""

from __future__ import annotations

import numpy as np

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, Row, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.samples import Samples
from zoohub.tasks.text_classification.rows import (
    IDS,
    PLAIN,
    collate_texts,
    rounded,
    text_rows,
)


class TrainingTexts:
    """Texts filled up to one length: that of the longest, or where no mask goes with them the
    network's own."""

    def __init__(self, samples: Samples[int], contract: TextContract) -> None:
        self.samples = samples
        self._prepare = text_rows(contract, None)
        lengths = [
            len(sentence.ids)
            for sentence in samples.inputs
            if isinstance(sentence, Sentence) and sentence.ids is not None
        ]
        longest = max(lengths, default=1)
        limit = contract.max_length or longest
        self.length = rounded(min(longest, limit), contract)
        self.whole = contract.max_length or self.length

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each, and the `label`; of these inputs a network
        is given its own."""
        place, row = first_readable(self.samples.names, place, note, self._read, "text")
        inputs = {name: array[0] for name, array in collate_texts([row], self.length).items()}
        inputs[PLAIN] = collate_texts([row], self.whole)[IDS][0]
        label = np.array(self.samples.targets[place], np.int64)
        return TrainingRow(inputs, {"label": label})

    def _read(self, place: int) -> Row:
        sentence = self.samples.inputs[place]
        assert isinstance(sentence, Sentence)
        (row,) = self._prepare(sentence)
        return row
