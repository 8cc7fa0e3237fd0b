"""Pairs of sentences as a network is trained on them: the target is given, a token late."""

from __future__ import annotations

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.translation.parallel import Pairs
from zoohub.tasks.translation.rows import Language, token_ids

_ROUNDED = 8  # lengths are filled up to a multiple of this


class TrainingPairs:
    """Pairs filled up to one length, that of the longest that the network takes."""

    def __init__(self, samples: Pairs, contract: TextContract) -> None:
        self.samples, self.language = samples, Language(contract)
        lengths = [
            max(len(sentence.ids), len(target.ids)) + 1
            for sentence, target in zip(samples.inputs, samples.targets, strict=True)
            if isinstance(sentence, Sentence) and sentence.ids is not None
        ]
        longest = -(-max(lengths, default=1) // _ROUNDED) * _ROUNDED
        self.length = longest if contract.max_length is None else min(longest, contract.max_length)

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each."""
        _, row = first_readable(self.samples.names, place, note, self._read, "sentences")
        return row

    def _read(self, place: int) -> TrainingRow:
        contract = self.language.contract
        name = self.samples.names[place]
        sentence, target = self.samples.inputs[place], self.samples.targets[place]
        assert isinstance(sentence, Sentence)
        source = token_ids(sentence, self.language)
        wanted = token_ids(Sentence(f"{name}: target", ids=target.ids), self.language)
        if max(len(source), len(wanted)) > self.length:
            raise DataError(f"{name}: more than {self.length} tokens with its end")
        given = [contract.start_id, *wanted[:-1]]
        arrays = padded([source, [1] * len(source), given, [1] * len(given), wanted],  # type: ignore[list-item]
                        0, self.length)  # fmt: skip
        names = ("source_ids", "source_mask", "target_ids", "target_mask")
        inputs = dict(zip(names, arrays, strict=False))
        targets = {"labels": arrays[4], "mask": arrays[3]}
        return TrainingRow(inputs, {key: np.array(value) for key, value in targets.items()})
