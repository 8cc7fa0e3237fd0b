"""Pairs of sentences as a network is trained on them: the target is given, a token late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.translation.parallel import Pairs
from zoohub.tasks.translation.rows import Language, token_ids

# A step is compiled for each length that batches are filled up to: there are to be few.
_LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_POOL = 50  # batches whose pairs are sorted by length


def step_length(longest: int) -> int:
    """What a batch is filled up to whose longest sentence has so many tokens."""
    return next((length for length in _LENGTHS if length >= longest), longest)


class TrainingPairs:
    """Pairs filled up to one length, that of the longest that the network takes."""

    def __init__(self, samples: Pairs, contract: TextContract) -> None:
        self.samples, self.language = samples, Language(contract)
        self.lengths = np.array(
            [
                max(len(sentence.ids), len(target.ids)) + 1
                for sentence, target in zip(samples.inputs, samples.targets, strict=True)
                if isinstance(sentence, Sentence) and sentence.ids is not None
            ]
        )
        longest = step_length(int(self.lengths.max(initial=1)))
        self.length = longest if contract.max_length is None else min(longest, contract.max_length)

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each."""
        _, row = first_readable(self.samples.names, place, note, self._read, "sentence")
        return row

    def arranged(self, order: NDArray[np.int64], batch: int, random: Random) -> NDArray[np.int64]:
        """See `Arranged`: pairs of about one length are together, so that little is filled up."""
        if len(self.lengths) < len(self.samples):
            return order
        count = len(order) // batch * batch
        pools = np.split(order[:count], range(_POOL * batch, count, _POOL * batch))
        ranked = [pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools]
        batches = random.permutation(np.concatenate(ranked).reshape(-1, batch))
        return np.concatenate([batches.ravel(), order[count:]])

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
