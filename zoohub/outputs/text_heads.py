"""What the heads of text encoders give, each token's own: scores, spans, states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.class_scores import class_scores
from zoohub.outputs.form import Array, Form, Size, shapes


@dataclass(frozen=True, slots=True)
class TokenScores:
    """`logits` is float (N, L, K): of each token its classes, or the words it may be.

    With `after` (K, K) they are the scores of a conditional random field, row t, column s that of
    class t after s; its last two classes are a text's start and its end.
    """

    logits: Array
    after: Array | None = None

    def __post_init__(self) -> None:
        classes = self.logits.shape[-1:]
        if self.logits.ndim != 3 or (
            self.after is not None and self.after.shape != (*classes, *classes)
        ):
            raise DataError(
                "expected scores of each token, (N, L, classes), from the network; "
                f"got {self.logits.shape}"
            )

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def classes(self) -> int:
        """How many classes a token can have."""
        return self.logits.shape[-1] - (0 if self.after is None else 2)


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Where an answer begins and ends: `starts` and `ends` are float (N, L), logits over a text's
    tokens; or where `several` may be, the probability of each token."""

    starts: Array
    ends: Array
    several: bool = False

    def __post_init__(self) -> None:
        if self.starts.ndim != 2 or self.starts.shape != self.ends.shape:
            raise DataError(
                "expected where answers start and end, (N, L) twice, from the network; got "
                f"{self.starts.shape} and {self.ends.shape}"
            )

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class TokenStates:
    """`states` is float (N, L, C), what an encoder makes of each token; `pooled` (N, C) what it
    makes of the first, where it has a layer for that."""

    states: Array
    pooled: Array | None = None

    def __post_init__(self) -> None:
        if self.states.ndim != 3:
            raise DataError(
                "expected the states of each token, (N, L, channels), from the network; got "
                f"{self.states.shape}"
            )

    def __len__(self) -> int:
        return len(self.states)


def text_head(raw: Mapping[str, Array], size: Size) -> Form:
    """What the head of a text encoder gives, told by the names of its outputs.

    Raises:
        DataError: they are those of no head.
    """
    if "tags" in raw:
        return TokenScores(raw["tags"], raw.get("after"))
    if "words" in raw:
        return TokenScores(raw["words"])
    if "answers" in raw:
        answers = raw["answers"]
        if answers.ndim != 3 or answers.shape[-1] != 2:
            raise DataError(f"expected answers (N, L, 2) from the network; got {shapes(raw)}")
        return SpanScores(np.ascontiguousarray(answers[..., 0]), answers[..., 1])
    if {"starts", "ends"} <= raw.keys():
        return SpanScores(raw["starts"], raw["ends"])
    if "states" in raw:
        return TokenStates(raw["states"], raw.get("pooled"))
    return class_scores(raw, size)


def spans(raw: Mapping[str, Array], size: Size) -> Form:
    """The spans of a network that may find several, or what it is without that head."""
    if {"starts", "ends"} <= raw.keys():
        return SpanScores(raw["starts"], raw["ends"], several=True)
    return text_head(raw, size)
