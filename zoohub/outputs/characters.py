"""What networks that read a line of text give: the probability of each class at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, only

Reading = Literal["columns", "attention", "filtered", "likelihood", "aligned"]
BLANK, START, STOP, END, UNKNOWN, PAD = "<blank>", "<go>", "<stop>", "<end>", "<ukn>", "<pad>"
BOUNDS = "<bos/eos>"
UNUSED = "<unused>"  # stands for nothing, and is written as nothing


@dataclass(frozen=True, slots=True)
class TextReader:
    """How classes at steps become text, as data; as a function it reads a network's outputs.

    `reading` is the rule: `columns` of connectionist temporal classification; `attention`, a
    character a step up to the class STOP; the same `filtered`, up to BOUNDS, of which only letters,
    digits and Chinese characters are kept, in lower case; up to END, with the `likelihood` of a
    character or with the mean (`aligned`). `before` and `after` are the classes before and after
    the characters, where nothing else says what they are. `given` is what the network gives for a
    class: its `probability` or `logit`; `longest` the characters that a text has at most, and
    `steps_first`, whether the steps come before the batch.
    """

    reading: Reading
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    given: Literal["probability", "logit"] = "probability"
    longest: int | None = None
    steps_first: bool = False

    def __call__(self, raw: Mapping[str, Array], size: Size) -> CharacterScores:
        """The output `characters`, or the only one. Raises DataError: there are others."""
        what = "the classes at each step, characters (N, steps, classes)"
        scores = only(raw, "characters", what).astype(np.float32, copy=False)
        if scores.ndim == 3 and self.steps_first:
            scores = scores.transpose(1, 0, 2)
        if scores.ndim == 3 and self.given == "logit":
            scores = _softmax(scores)
        return CharacterScores(scores, self)


@dataclass(frozen=True, slots=True)
class CharacterScores:
    """`probabilities` is float32 (N, steps, classes); `reader` says how they are read."""

    probabilities: Array
    reader: TextReader

    def __post_init__(self) -> None:
        if self.probabilities.ndim != 3:
            raise DataError(
                "expected the classes at each step, (N, steps, classes), from the network; got "
                f"{self.probabilities.shape}"
            )

    def __len__(self) -> int:
        return len(self.probabilities)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Array = powers / powers.sum(-1, keepdims=True)
    return shares


# What families name as their `outputs`.
CTC = TextReader("columns", after=(BLANK,))
CTC_BLANK_FIRST = TextReader("columns", before=(BLANK,))
CTC_LOGITS = TextReader("columns", after=(BLANK,), given="logit")
CTC_STEPS_FIRST = TextReader("columns", after=(BLANK,), given="logit", steps_first=True)
RARE = TextReader("attention", before=(START, STOP))
MASTER = TextReader("attention", before=("<GO>", "<STOP>", "<PAD>"), after=("<UNKNOWN>",))
ROBUST_SCANNER = TextReader("filtered", after=("<UKN>", "<BOS/EOS>"))
VISION_LAN = TextReader("likelihood", before=(END,), given="logit", longest=25)
ABINET = TextReader("aligned", before=(END,), given="logit")
CRNN_SEQ2SEQ = TextReader("aligned", before=(PAD, START, END, UNKNOWN))
