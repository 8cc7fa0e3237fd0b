"""Writing: a token at a time, each after all that stand before it.

The network is asked for the whole of what there is, for all prompts that still go on. N prompts,
at most L tokens so far, V tokens known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.text import padded
from zoohub.outputs.form import check_finite
from zoohub.tasks.generation.rows import Prompt
from zoohub.tasks.generation.sampling import Floats, next_token
from zoohub.tasks.generation.spelling import cut, settled, spelt

Ids: TypeAlias = NDArray[np.int32]
# ids (N, L), filled up after their ends, and how many are a row's own (N,) -> the logits of each
# row's next token (N, V).
Step: TypeAlias = Callable[[Ids, Ids], Floats]


def write(step: Step, prompts: Sequence[Prompt]) -> list[list[int]]:
    """The tokens that follow each prompt, without the one that ends it.

    An answer ends with the network's end token, where its text has a stop, after
    `max_new_tokens`, or where the network takes no more.

    Raises:
        DataError: the network gives what is no number.
    """
    answers = [_Answer(prompt) for prompt in prompts]
    while going := [answer for answer in answers if not answer.finished]:
        rows = [answer.ids for answer in going]
        scores = step(padded(rows, 0), np.array([len(row) for row in rows], np.int32))
        check_finite(scores)
        for answer, row in zip(going, scores, strict=True):
            answer.take(row)
    return [answer.tokens for answer in answers]


class _Answer:
    """What follows one prompt, so far."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.tokens: list[int] = []
        self.finished = False
        self._sampling = prompt.options.sampling()
        self._stops = prompt.options.stops()
        # By the prompt, so that it is drawn alike whatever else is in its batch.
        self._random = np.random.default_rng([prompt.options.seed, *prompt.ids])
        self._told = ""

    @property
    def ids(self) -> list[int]:
        return [*self.prompt.ids, *self.tokens]

    def take(self, scores: Floats) -> None:
        """Go on by a token, of the logits (V,), and tell of it."""
        prompt = self.prompt
        token = next_token(scores, self._sampling, self._random)
        if token == prompt.end_id:
            self.finished = True
        else:
            self.tokens.append(token)
            room = min(prompt.options.max_new_tokens, prompt.longest - len(prompt.ids))
            self.finished = len(self.tokens) >= room
        if prompt.words is None or not (self._stops or prompt.options.on_text):
            text = " ".join(map(str, self.tokens))
        else:
            text, stopped = cut(spelt(prompt.words, prompt.ids, self.tokens), self._stops)
            self.finished = self.finished or stopped
            if not self.finished:
                text = settled(text, self._stops)
        self._tell(text)

    def _tell(self, text: str) -> None:
        """Pass on what is new."""
        tell = self.prompt.options.on_text
        if tell is not None and text.startswith(self._told) and text != self._told:
            tell(self.prompt.name, text[len(self._told) :])
            self._told = text
