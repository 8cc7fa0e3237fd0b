"""The recipe of a network that learns to find words left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.encoder_recipe import encoder_settings
from zoohub.tasks.recipe import Optimizer, Recipe


@dataclass(frozen=True, slots=True)
class PlainTexts:
    """A .txt file, a text a line, or a .csv, .tsv or .jsonl with the column `text` and perhaps
    `split` (train, val or test).

    In a .jsonl `text` may be a list of token ids, with their marks. `vocab` is the file that cuts
    text; None: `tokenizer.json` or `vocab.txt` beside it, where there is one. `mask_id` is the
    mask's id where there is no vocabulary. `masked` is the share of tokens left out. Without
    `split` the share `validation` is split off by `seed`.
    """

    kind: Literal["plain-texts"]
    path: str
    vocab: str | None = None
    mask_id: int | None = number(None, low=0)
    masked: float = number(0.15, above=0.0, high=0.9)
    validation: float = number(0.1, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMaskRecipe(Recipe):
    """One run that goes on with the pretraining of an encoder, by words left out alone."""

    task: Literal["fill-mask"]
    data: PlainTexts
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: PlainTexts, texts: int
) -> FillMaskRecipe:
    """Sensible settings for `texts` to train on: about 3,000 steps, 3 to 40 epochs; a pretrained
    network learns gently (5e-5), a fresh one at BERT's own rate for pretraining (1e-4) and more."""
    lr = 3e-4 if checkpoint is None else 5e-5
    return FillMaskRecipe(
        task="fill-mask",
        model=model,
        checkpoint=checkpoint,
        data=data,
        **encoder_settings(texts, lr, steps=3000, epochs=(3, 40)),
    )
