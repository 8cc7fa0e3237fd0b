"""From what a network wrote to results: tokens, and their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoohub.core.counting import counted
from zoohub.outputs.continuations import Continuations, TokenLosses
from zoohub.tasks.generation.rows import Prompt
from zoohub.tasks.generation.spelling import cut, spelt
from zoohub.tasks.results import Json


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a prompt goes on, or is answered: the new `tokens`, without the end token, and their
    `text` up to where it was to stop; None where the vocabulary is not known."""

    text: str | None
    tokens: tuple[int, ...]

    def to_json(self) -> dict[str, Json]:
        """Text and token ids."""
        return {"text": self.text, "tokens": list(self.tokens)}

    def line(self) -> str:
        """The text, or the token ids."""
        return " ".join(map(str, self.tokens)) if self.text is None else self.text


@dataclass(frozen=True, slots=True)
class Foretold:
    """How well a text was foretold: the `total` of -ln p of its `tokens`, but for the first."""

    total: float
    tokens: int

    def to_json(self) -> dict[str, Json]:
        """The mean loss, and the tokens that were asked for."""
        return {"loss": self.total / max(1, self.tokens), "tokens": self.tokens}

    def line(self) -> str:
        """The mean loss, and the tokens."""
        return f"loss {self.total / max(1, self.tokens):.4f} over {counted(self.tokens, 'token')}"


def foretold(form: TokenLosses) -> list[Foretold]:
    """A result of each row."""
    pairs = zip(form.sums.tolist(), form.counts.tolist(), strict=True)
    return [Foretold(total, tokens) for total, tokens in pairs]


def results_of(found: Continuations, prompts: Sequence[Prompt]) -> list[tuple[Continuation, ...]]:
    """One continuation of each prompt."""
    results: list[tuple[Continuation, ...]] = []
    for tokens, prompt in zip(found.rows(), prompts, strict=True):
        text = None
        if prompt.words is not None:
            text, _ = cut(spelt(prompt.words, prompt.before, tokens), prompt.options.stops())
        results.append((Continuation(text, tuple(tokens)),))
    return results
