"""A reader that is asked a character at a time, until all texts of a batch are at their ends.

The network has two parts: `see` gives what `step` takes, and `blank`, the texts (N, steps + 1) that
were not read yet: the class before the first character, then the one at the end; `step` gives the
`probabilities` (N, classes) of the character after those so far, `characters` (N, n). What else it
gives, `next_X`, it takes as `X` with the next (a recurrent reader's state).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.running import Array, Runner

SEE, STEP = "see", "step"
_NEXT = "next_"


def read_stepwise(seen: Mapping[str, Array], step: Runner) -> dict[str, Array]:
    """`characters` float32 (N, steps, classes) of what `see` gave: each step's best is the next's
    last character. Steps after all texts' ends are the end, for certain."""
    rest = dict(seen)
    texts = rest.pop("blank").astype(np.int32)
    end = texts[0, -1]
    ended = np.zeros(len(texts), bool)
    found: list[Array] = []
    for place in range(texts.shape[1] - 1):
        if ended.all():
            break
        so_far = np.ascontiguousarray(texts[:, : place + 1])
        given = step.run({**rest, "characters": so_far})
        found.append(given["probabilities"])
        for name, value in given.items():
            if name.startswith(_NEXT):
                rest[name.removeprefix(_NEXT)] = value
        texts[:, place + 1] = found[-1].argmax(1)
        ended |= texts[:, place + 1] == end
    certain = np.zeros_like(found[-1])
    certain[:, end] = 1
    found += [certain] * (texts.shape[1] - 1 - len(found))
    return {"characters": np.stack(found, 1)}
