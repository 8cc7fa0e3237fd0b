"""Texts as an encoder is pretrained on them: each epoch leaves out other words."""

from __future__ import annotations

import numpy as np

from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Note, Random, Row, TrainingRow
from zoohub.tasks.fill_mask.recipe import FillMaskRecipe
from zoohub.tasks.fill_mask.rows import Masked, masked_rows
from zoohub.tasks.fill_mask.table import Truth, choose
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.samples import Samples
from zoohub.tasks.texts import IDS, encoder_batch, rounded

NOT_ASKED = -1  # the label of a token that is not left out
_REPLACED, _CHANGED = 0.8, 0.1  # of the words left out: by the mask, by any word


class MaskedTexts:
    """Texts filled up to the length of the longest. As in BERT's paper a word left out is the mask
    in 8 of 10 cases, any other word in one, and itself in one."""

    def __init__(
        self, samples: Samples[Truth], contract: TextContract, recipe: FillMaskRecipe
    ) -> None:
        self.samples, self.contract, self.recipe = samples, contract, recipe
        self._prepare = masked_rows(contract, None, None)
        texts = [input for input in samples.inputs if isinstance(input, Masked)]
        longest = max((len(text.ids) for text in texts), default=1)
        limit = contract.max_length or longest
        self.length = rounded(min(longest, limit), contract)
        known = max((max(*text.ids, *truth) for text, truth in
                     zip(texts, samples.targets, strict=True)), default=0) + 1  # fmt: skip
        self.words = contract.vocab_size or known

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: int32 (length,) each; `labels` are the ids of the words left out,
        which follow from the recipe's seed, the epoch and the text's place."""
        place, row = first_readable(self.samples.names, place, note, self._read, "text")
        text = self.samples.inputs[place]
        assert isinstance(text, Masked)
        drawn = np.random.default_rng([self.recipe.seed, epoch, place])
        ids, labels = self._masked(text, self.samples.targets[place], drawn)
        batch = encoder_batch([Row({IDS: ids}, row.geometry)], self.contract, self.length)
        wanted = np.full(self.length, NOT_ASKED, np.int32)
        wanted[: len(labels)] = labels
        return TrainingRow({name: array[0] for name, array in batch.items()}, {"labels": wanted})

    def _masked(
        self, text: Masked, truth: Truth, drawn: Random
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], ...]:
        """A text's ids with other words left out, and those words."""
        text = text.cut(self.contract.max_length or len(text.ids))
        ids = np.array(text.ids, np.int32)
        mask = ids[text.places[0]]
        ids[list(text.places)] = truth[: len(text.places)]
        labels = np.full(len(ids), NOT_ASKED, np.int32)
        places = np.array(choose(len(ids), self.recipe.data.masked, drawn))
        labels[places] = ids[places]
        lot = drawn.random(len(places))
        other = drawn.integers(0, self.words, len(places))
        changed = np.where(lot < _REPLACED + _CHANGED, other, ids[places])
        ids[places] = np.where(lot < _REPLACED, mask, changed)
        return ids, labels

    def _read(self, place: int) -> Row:
        text = self.samples.inputs[place]
        assert isinstance(text, Masked)
        (row,) = self._prepare(text)
        return row
