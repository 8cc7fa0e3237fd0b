"""Questions as a network is trained on them: of a long context the window around the answer."""

from __future__ import annotations

import numpy as np

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, Row, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.question_answering.interpret import window_of
from zoohub.tasks.question_answering.rows import Passage, question_rows
from zoohub.tasks.question_answering.squad import Truth
from zoohub.tasks.samples import Samples
from zoohub.tasks.texts import encoder_batch, rounded

_STRIDE = 128


class TrainingQuestions:
    """Questions with their contexts, filled up to the length of the longest."""

    def __init__(self, samples: Samples[Truth], contract: TextContract) -> None:
        self.samples, self.contract = samples, contract
        self._prepare = question_rows(contract, None, None, _STRIDE)
        lengths = [
            len(passage.question) + len(passage.context)
            for passage in samples.inputs
            if isinstance(passage, Passage)
        ]
        longest = max(lengths, default=1)
        self.length = rounded(min(longest, contract.max_length or longest), contract)

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each, and the places of the answer's first and last
        token; 0 where there is none."""
        place, (row, start, end) = first_readable(
            self.samples.names, place, note, self._read, "question"
        )
        batch = encoder_batch([row], self.contract, self.length)
        targets = {"starts": np.array(start, np.int32), "ends": np.array(end, np.int32)}
        return TrainingRow({name: array[0] for name, array in batch.items()}, targets)

    def _read(self, place: int) -> tuple[Row, int, int]:
        passage = self.samples.inputs[place]
        assert isinstance(passage, Passage)
        return chosen(self._prepare(passage), self.samples.targets[place].tokens)


def chosen(rows: tuple[Row, ...], tokens: tuple[int, ...]) -> tuple[Row, int, int]:
    """The window that has an answer's tokens with the most around them, and their places there;
    the first window and place 0 where there is no answer.

    Raises:
        DataError: no window has all of the answer.
    """
    best, found = -1, (rows[0], 0, 0)
    for row in rows if tokens else ():
        window = window_of(row)
        first, last = (token - window.start for token in tokens)
        around = min(first, window.count - 1 - last)
        if around > best:
            best, found = around, (row, window.place + first, window.place + last)
    if tokens and best < 0:
        window = window_of(rows[0])
        raise DataError(
            f"{window.passage.name}: the answer has {counted(tokens[1] - tokens[0] + 1, 'token')}, "
            f"and no window of {window.count} has all of it"
        )
    return found
