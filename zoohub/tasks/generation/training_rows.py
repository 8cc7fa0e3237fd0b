"""Windows of text as a language model is trained on them: each token's successor is its label."""

from __future__ import annotations

from zoohub.errors import DataError
from zoohub.inputs.text import padded
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.generation.rows import check_known
from zoohub.tasks.generation.windows import Passage, windows
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.samples import Samples


class TrainingWindows:
    """Windows filled up to one length; of one longer than the network takes, its parts come in
    turn, one an epoch."""

    def __init__(self, samples: Samples[None], contract: TextContract) -> None:
        self.samples, self.contract = samples, contract
        lengths = [len(one.ids) for one in samples.inputs if isinstance(one, Passage)]
        longest = max(lengths, default=2)
        if contract.max_length is not None:
            longest = min(longest, contract.max_length)
        self.window = max(2, longest)

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each."""
        _, row = first_readable(
            self.samples.names, place, note, lambda one: self._read(one, epoch), "text"
        )
        return row

    def _read(self, place: int, epoch: int) -> TrainingRow:
        passage = self.samples.inputs[place]
        assert isinstance(passage, Passage)
        check_known(passage.name, passage.ids, self.contract)
        parts = windows(passage.ids, self.window)
        ids = parts[epoch % len(parts)]
        if len(ids) < 2:
            raise DataError(f"{passage.name}: one token, and nothing to be asked for after it")
        given, wanted, mask = padded([ids[:-1], ids[1:], [1] * (len(ids) - 1)], 0, self.window - 1)
        return TrainingRow({"ids": given}, {"labels": wanted, "mask": mask})
