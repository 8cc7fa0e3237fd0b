"""From the classes at each step to text, by the rule of the network's kind.

Sources: connectionist temporal classification, Graves et al. 2006, read greedily; the others as
MindOCR reads what these networks give.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.characters import BLANK, BOUNDS, END, PAD, STOP, UNUSED, CharacterScores
from zoohub.outputs.form import check_finite

Steps = NDArray[np.int64]
Shares = NDArray[np.float32]
_NO_WORD = re.compile(r"[^A-Za-z0-9^\u4e00-\u9fa5]")


def read_texts(form: CharacterScores, names: tuple[str, ...]) -> list[tuple[str, float]]:
    """The text of each row and its score, 0 to 1: the mean probability of its characters' steps
    (of none: 0), or as the reader has it. `names` are the classes in order.

    Raises:
        DataError: the network gave what is no number.
    """
    check_finite(form.probabilities)
    best = form.probabilities.argmax(2)
    shares = np.take_along_axis(form.probabilities, best[..., None], 2)[..., 0]
    reader = form.reader
    places = {name.lower(): place for place, name in enumerate(names)}
    found = []
    for steps, parts in zip(best, shares, strict=True):
        if reader.reading == "columns":
            kept = _columns(steps, places.get(BLANK))
        elif reader.reading == "filtered":
            kept = _up_to(steps, places.get(BOUNDS))
            kept = kept[steps[kept] != places.get(PAD, -1)]
        elif reader.reading == "attention":
            kept = _up_to(steps, places.get(STOP), needed=True)
        else:
            kept = _up_to(steps[: reader.longest], places.get(END))
        text = "".join(names[step] for step in steps[kept] if names[step] != UNUSED)
        if reader.reading == "filtered":
            text = _NO_WORD.sub("", text.lower())
        if reader.reading == "likelihood":  # of the text and its end
            score = _likelihood(parts[: min(len(kept) + 1, reader.longest or len(parts))])
        else:
            score = float(parts[kept].mean()) if len(kept) else 0.0
        found.append((text, score))
    return found


def _columns(steps: Steps, blank: int | None) -> Steps:
    """The places of what is neither blank nor the same as the step before."""
    changes = np.diff(steps, prepend=-1) != 0
    return np.flatnonzero(changes & (steps != blank))


def _up_to(steps: Steps, end: int | None, *, needed: bool = False) -> Steps:
    """The places before the first `end`; all of them where there is none, or none if that is
    `needed`."""
    ends = np.flatnonzero(steps == end)
    if len(ends):
        return np.arange(ends[0])
    return np.arange(0 if needed else len(steps))


def _likelihood(parts: Shares) -> float:
    """The geometric mean."""
    return float(np.exp(np.log(np.maximum(parts, np.finfo(np.float32).tiny)).mean()))
