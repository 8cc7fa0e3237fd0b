"""From the sequences of a search to the best of each sentence, as tokens and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoohub.manifest.entry import TextContract
from zoohub.outputs.form import check_finite
from zoohub.outputs.sequences import Sequences
from zoohub.tasks.contract import Row
from zoohub.tasks.options import option
from zoohub.tasks.results import Json
from zoohub.tasks.translation.rows import Language


@dataclass(frozen=True)
class TranslationOptions:
    """`vocab` is the file of the network's tokens; None: token ids go in and come out."""

    vocab: str | None = option(
        None, "the file of a text network's tokens, a token a line", metavar="FILE"
    )


@dataclass(frozen=True, slots=True)
class Translation:
    """A translation: its `tokens` without start and end; its `text` where the vocabulary is known;
    `score`, the log probability over the length's penalty, is at most 0."""

    text: str | None
    score: float
    tokens: tuple[int, ...]

    def to_json(self) -> dict[str, Json]:
        """Text, score to 6 digits, and token ids."""
        return {"text": self.text, "score": round(self.score, 6), "tokens": list(self.tokens)}

    def line(self) -> str:
        """The text, or the token ids."""
        if self.text is not None:
            return self.text
        return "tokens " + (" ".join(map(str, self.tokens)) or "none")


def languages_of(rows: Sequence[Row]) -> list[Language]:
    """The geometry of rows."""
    return [row.geometry for row in rows if isinstance(row.geometry, Language)]


def best_of(found: Sequences, languages: Sequence[Language]) -> list[tuple[Translation, ...]]:
    """The best-scored sequence of each sentence, finished or not.

    Raises:
        DataError: its score is no number, as the network's were none.
    """
    results: list[tuple[Translation, ...]] = []
    for ids, scores, language in zip(found.ids, found.scores, languages, strict=True):
        best = int(scores.argmax())  # one that is no number is taken for the largest
        check_finite(scores[best])
        tokens = _inner(ids[best].tolist(), language.contract)
        words = language.vocabulary
        text = None if words is None else words.decode(tokens)
        results.append((Translation(text, float(scores[best]), tokens),))
    return results


def _inner(ids: list[int], contract: TextContract) -> tuple[int, ...]:
    """What follows the start token and precedes the first end token."""
    begin = 1 if ids[:1] == [contract.start_id] else 0
    end = ids.index(contract.end_id, begin) if contract.end_id in ids[begin:] else len(ids)
    return tuple(ids[begin:end])
