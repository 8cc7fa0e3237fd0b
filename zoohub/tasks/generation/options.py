"""How a text is to go on: what `predict` may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoohub.errors import UsageError
from zoohub.tasks.generation.sampling import Sampling
from zoohub.tasks.options import option


@dataclass(frozen=True)
class GenerationOptions:
    """`vocab` is the file of the network's tokens; None: token ids go in and come out. Without
    `temperature`, `top_k` and `top_p` the likeliest token is taken each time; with one of the
    latter two the temperature is 1. Draws follow from `seed` and the prompt alone. `stop` is a
    text, or several, before which the answer ends. `on_text` is told the input's name and each
    piece of its answer as it comes."""

    vocab: str | None = option(
        None,
        "the file of a text network's tokens, a token a line, a tokenizer.json, or a SentencePiece "
        ".model",
        metavar="FILE",
    )
    max_new_tokens: int = option(32, "tokens that a language model adds, at most (32)")
    temperature: float | None = option(
        None, "draw its tokens: 1 as likely as they are, less is bolder; 0 takes the likeliest",
        metavar="T",
    )  # fmt: skip
    top_k: int | None = option(None, "draw them from the N likeliest")
    top_p: float | None = option(
        None, "draw them from the likeliest that together have this probability", metavar="P"
    )
    seed: int = option(0, "what those draws follow from (0)")
    stop: str | tuple[str, ...] | None = option(
        None, "end the answer before this text", metavar="STRING"
    )
    on_text: Callable[[str, str], object] | None = None

    def sampling(self) -> Sampling:
        """How tokens are drawn."""
        drawn = self.top_k is not None or self.top_p is not None
        temperature = (1.0 if drawn else 0.0) if self.temperature is None else self.temperature
        return Sampling(float(temperature), self.top_k, self.top_p)

    def stops(self) -> tuple[str, ...]:
        """The texts that end an answer."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


def check_options(options: GenerationOptions) -> None:
    """That they can be followed; `zoohub.core.values` has held each to its own rule.

    Raises:
        UsageError: a seed below 0, or an `on_text` that cannot be called.
    """
    if options.on_text is not None and not callable(options.on_text):
        raise UsageError(f"on_text={options.on_text!r:.40}: a function of two texts is needed")
    if options.seed < 0:
        raise UsageError(f"seed={options.seed}: a whole number from 0 is needed")
