"""Writing: a token at a time, each after all that stand before it.

All prompts that still go on take a step together. V tokens are known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoohub.inputs.text import padded
from zoohub.outputs.form import check_finite
from zoohub.tasks.generation.memory import LogitsReader
from zoohub.tasks.generation.rows import Prompt
from zoohub.tasks.generation.sampling import Floats, next_token
from zoohub.tasks.generation.spelling import cut, settled, spelt


def write(reader: LogitsReader, prompts: Sequence[Prompt]) -> list[list[int]]:
    """The tokens that follow each prompt, without the one that ends it.

    An answer ends with the network's end token, where its text has a stop, after
    `max_new_tokens`, or where the network takes no more.

    Raises:
        DataError: the network gives what is no number.
    """
    answers = [_Answer(prompt) for prompt in prompts]
    going = answers
    read = [np.array(prompt.ids, np.int32) for prompt in prompts]
    scores = reader.begin(padded(read, 0), np.array([len(ids) for ids in read], np.int32))
    while True:
        check_finite(scores)
        for answer, row in zip(going, scores, strict=True):
            answer.take(row)
        kept = [place for place, answer in enumerate(going) if not answer.finished]
        if not kept:
            return [answer.tokens for answer in answers]
        going = [going[place] for place in kept]
        tokens = np.array([answer.tokens[-1] for answer in going], np.int32)
        scores = reader.go_on(np.array(kept, np.intp), tokens)


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

    def take(self, scores: Floats) -> None:
        """Go on by a token, of the logits (V,), and tell of it."""
        prompt = self.prompt
        token = next_token(scores, self._sampling, self._random)
        if token == prompt.end_id:
            self.finished = True
        else:
            self.tokens.append(token)
            room = min(prompt.options.max_new_tokens, prompt.room)
            self.finished = len(self.tokens) >= room
        if prompt.words is None or not (self._stops or prompt.options.on_text):
            text = " ".join(map(str, self.tokens))
        else:
            text, stopped = cut(spelt(prompt.words, prompt.before, self.tokens), self._stops)
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
