"""Tagged texts as a network is trained on them."""

from __future__ import annotations

import numpy as np

from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, Row, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.samples import Samples
from zoohub.tasks.tagging.conll import Tags
from zoohub.tasks.tagging.interpret import words_of
from zoohub.tasks.tagging.rows import Words, word_rows
from zoohub.tasks.texts import IDS, encoder_batch, rounded

NOT_ASKED = -1  # the label of a token at which no word begins
PADDING = -2  # the label of what fills a text up


class TrainingTags:
    """Texts filled up to the length of the longest."""

    def __init__(self, samples: Samples[Tags], contract: TextContract) -> None:
        self.samples, self.contract = samples, contract
        self._prepare = word_rows(contract, None)
        lengths = [len(text.ids) for text in samples.inputs if isinstance(text, Words)]
        longest = max(lengths, default=1)
        self.length = rounded(min(longest, contract.max_length or longest), contract)

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each."""
        place, row = first_readable(self.samples.names, place, note, self._read, "text")
        batch = encoder_batch([row], self.contract, self.length)
        labels = np.full(self.length, PADDING, np.int32)
        labels[: len(row.inputs[IDS])] = NOT_ASKED
        firsts = list(words_of(row).firsts)
        labels[firsts] = self.samples.targets[place][: len(firsts)]
        return TrainingRow({name: array[0] for name, array in batch.items()}, {"labels": labels})

    def _read(self, place: int) -> Row:
        text = self.samples.inputs[place]
        assert isinstance(text, Words)
        (row,) = self._prepare(text)
        return row
