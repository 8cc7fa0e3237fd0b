"""The classes that a network is to learn, and texts as these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zoohub.errors import DataError, RecipeError
from zoohub.outputs.characters import BLANK, STOP, TextReader
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.text_recognition.dictionary import layout_of, spelling
from zoohub.tasks.text_recognition.labels import Word, Words


def classes_to_learn(
    characters: tuple[str, ...],
    known: tuple[str, ...] | None,
    reader: TextReader,
    *,
    given: bool,
) -> tuple[str, ...]:
    """The names of the head's classes: those `known`, where they have all `characters` of the data
    (or, of a dictionary that was `given`, just these); else the characters with what the network
    has beside them."""
    layout = layout_of(known, reader)
    if known is not None and not given and set(characters) <= spelling(known).keys():
        return known
    return replace(layout, characters=characters).names


def fitted_words(splits: Splits[Word], names: tuple[str, ...], reader: TextReader) -> Splits[Word]:
    """The words with their classes; those to train on that have a character without one are left
    out.

    Raises:
        RecipeError: none is left.
    """
    skipped = dict(splits.skipped)
    numbered = numbering(names, reader)

    def fitted(samples: Words, *, needed: bool) -> Words:
        words: list[Word] = []
        places: list[int] = []
        for place, word in enumerate(samples.targets):
            try:
                words.append(numbered(word))
            except DataError as error:
                if needed:
                    skipped[samples.names[place]] = str(error)
                    continue
                words.append(word)
            places.append(place)
        kept = samples.take(places)
        return Samples(kept.inputs, words, kept.names)

    train = fitted(splits.train, needed=True)
    if not len(train):
        raise RecipeError(f"no text can be learnt: {next(iter(skipped.values()), 'there is none')}")
    validation, test = (fitted(part, needed=False) for part in (splits.validation, splits.test))
    return replace(
        splits, classes=names, train=train, validation=validation, test=test, skipped=skipped
    )


def numbering(names: tuple[str, ...], reader: TextReader) -> Callable[[Word], Word]:
    """What gives a word its classes, as the loss of the reader's kind numbers them: of columns all
    but the blank; else with the end of the text, a class, behind."""
    own = spelling(names)
    lowered = {name.lower(): place for place, name in enumerate(names)}
    columns = reader.reading == "columns"
    blank = lowered.get(BLANK, len(names)) if columns else 0
    end = () if columns else (lowered.get(STOP, 0),)

    def numbered(word: Word) -> Word:
        missing = next((c for c in word.text if c not in own), None)
        if missing is not None:
            raise DataError(f"{word.text!r:.40}: the dictionary has no {missing!r}")
        ids = tuple(own[c] - (own[c] > blank) if columns else own[c] for c in word.text)
        return replace(word, ids=(*ids, *end), blank=blank)

    return numbered
