"""What `predict` may be told of a text's classes."""

from __future__ import annotations

from dataclasses import dataclass

from zoohub.tasks.classification.interpret import ClassificationOptions
from zoohub.tasks.options import option


@dataclass(frozen=True, slots=True)
class TextClassificationOptions(ClassificationOptions):
    """As a picture's; `vocab` is the file that cuts text, None: token ids alone are taken."""

    vocab: str | None = option(
        None,
        "the file of a text network's tokens, a token a line, a tokenizer.json",
        metavar="FILE",
    )
