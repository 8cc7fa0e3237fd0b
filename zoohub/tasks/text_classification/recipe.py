"""A text classifier's recipe: its labelled texts, and settings for the amount of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.encoder_recipe import encoder_settings
from zoohub.tasks.recipe import ClassWeights, Optimizer, Recipe


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """A .csv, .tsv or .jsonl file with the columns `text`, `label` and perhaps `split` (train, val
    or test).

    `text` is a text; in a .jsonl it may be a list of token ids. `vocab` is the file that cuts text;
    None: `tokenizer.json` or `vocab.txt` beside it, where there is one. Without `split` the share
    `validation` of each class is split off by `seed`.
    """

    kind: Literal["texts"]
    path: str
    vocab: str | None = None
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextClassificationRecipe(Recipe):
    """One training run of a text classifier; `class_weights` as in a classifier's of pictures."""

    task: Literal["text-classification"]
    data: LabelledTexts
    class_weights: ClassWeights | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: LabelledTexts, texts: int
) -> TextClassificationRecipe:
    """Sensible settings for `texts` to train an encoder on: about 1,500 steps, 3 to 30 epochs; a
    pretrained one learns as in BERT's paper (3e-5), a fresh one ten times as fast."""
    lr = 3e-4 if checkpoint is None else 3e-5
    return TextClassificationRecipe(
        task="text-classification",
        model=model,
        checkpoint=checkpoint,
        data=data,
        **encoder_settings(texts, lr),
    )


def for_small_network(recipe: TextClassificationRecipe) -> TextClassificationRecipe:
    """The recipe at the rate of a network that is no encoder, as TextCNN, which hardly moves at an
    encoder's: 3e-3 afresh (`recipes/textcnn-languages.yaml`), a third of it where it has learnt."""
    lr = 3e-3 if recipe.checkpoint is None else 1e-3
    return replace(recipe, optimizer=replace(recipe.optimizer, lr=lr))
