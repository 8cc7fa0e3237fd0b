"""From what a network gives to the text of each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.outputs.characters import CharacterScores
from zoohub.tasks.contract import Row
from zoohub.tasks.options import option
from zoohub.tasks.results import Json
from zoohub.tasks.text_recognition.decoding import read_texts
from zoohub.tasks.text_recognition.dictionary import layout_of, with_characters


@dataclass(frozen=True)
class RecognitionOptions:
    """`vocab` is the file of the characters that the network's classes stand for; None: those that
    the index names."""

    vocab: str | None = option(
        None,
        "the file of a text network's tokens, a token a line, a tokenizer.json, or a SentencePiece "
        ".model; of a text recogniser's characters, one a line",
        metavar="FILE",
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a picture says, and how sure that is: 0 to 1, 0 where it says nothing."""

    text: str
    score: float

    def to_json(self) -> dict[str, Json]:
        """The text, and its score to 6 digits."""
        return {"text": self.text, "score": round(self.score, 6)}

    def line(self) -> str:
        """Score and text."""
        return f"{self.score:6.1%}  {self.text or '(no text)'}"


@dataclass(frozen=True)
class LinePlace:
    """How a picture lies in the input: over which `share` of its width, with what value of each
    channel to its right, and whether the input may be wider (`open`); and the `characters` of a
    dictionary of the user's own, by its name."""

    share: float
    padding: NDArray[np.float32] = field(repr=False)
    open: bool = False
    characters: tuple[str, ...] | None = field(default=None, repr=False)
    dictionary: str = ""


def scores_of(form: Form) -> CharacterScores:
    """The scores that a network gave. Raises DataError: it gave something else."""
    if not isinstance(form, CharacterScores):
        raise DataError(f"expected the classes at each step; got {type(form).__name__}")
    return form


def class_names_for(
    form: CharacterScores, rows: Sequence[Row], names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The names of the classes: those known, with the characters of the user's own dictionary.

    Raises:
        DataError: they are not known, or not as many as the network has.
    """
    classes = form.probabilities.shape[2]
    place = rows[0].geometry if rows else None
    if isinstance(place, LinePlace) and place.characters is not None:
        known = layout_of(names, form.reader)
        return with_characters(known, place.characters, classes, place.dictionary)
    if names is None:
        raise DataError(
            f"which characters the network's {classes} classes stand for is not known: give its "
            "dictionary, a character a line, as --vocab FILE (vocab=)"
        )
    if len(names) != classes:
        raise DataError(
            f"the network gives {counted(classes, 'class', 'classes')} but "
            f"{counted(len(names), 'class name is', 'class names are')} known; the checkpoint's "
            "entry in the index names other characters than its network has"
        )
    return names


def interpret_readings(
    form: Form, rows: Sequence[Row], names: tuple[str, ...] | None
) -> list[tuple[Reading, ...]]:
    """What each picture says, as the one result it has."""
    scores = scores_of(form)
    texts = read_texts(scores, class_names_for(scores, rows, names))
    return [(Reading(text, score),) for text, score in texts]
