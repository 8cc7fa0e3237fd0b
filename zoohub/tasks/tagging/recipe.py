"""A tagger's recipe: its tagged texts, and settings for the amount of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.encoder_recipe import encoder_settings
from zoohub.tasks.recipe import Optimizer, Recipe


@dataclass(frozen=True, slots=True)
class TaggedTexts:
    """A file in CoNLL's form (a word a line, its tag in the last column, an empty line after each
    text), a folder with such files called `train`, `valid` (or `dev`) and `test`, or a .jsonl with
    `tokens` and `tags`, and perhaps `split`.

    In a .jsonl `ids`, a list of token ids with their marks, may stand for `tokens`: each has its
    tag. `vocab` is the file that cuts words; None: `tokenizer.json` or `vocab.txt` beside them,
    where there is one. Without parts the share `validation` is split off by `seed`.
    """

    kind: Literal["tagged-texts"]
    path: str
    vocab: str | None = None
    validation: float = number(0.1, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggingRecipe(Recipe):
    """One training run of a tagger."""

    task: Literal["named-entity-recognition"]
    data: TaggedTexts
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: TaggedTexts, texts: int
) -> TaggingRecipe:
    """Sensible settings for `texts` to train on: about 1,500 steps, 3 to 30 epochs; a pretrained
    network learns at 5e-5 (BERT's paper: 2e-5 to 5e-5), a fresh one six times as fast."""
    lr = 3e-4 if checkpoint is None else 5e-5
    return TaggingRecipe(
        task="named-entity-recognition",
        model=model,
        checkpoint=checkpoint,
        data=data,
        **encoder_settings(texts, lr),
    )
