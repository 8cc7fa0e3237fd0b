"""Reading a table's structure: a token at a time, each once, until all pictures have their end.

Source: Ye et al., 2021 (TableMASTER), whose greedy rule this is. N pictures, L keys and values of H
heads of D channels, P tokens that there is room for.
"""

from __future__ import annotations

import numpy as np

from zoohub.outputs.table_tokens import END
from zoohub.running import Array, Runner

SEE, NEXT = "see", "next"
_ROOM = 64  # tokens: a graph then meets few shapes


def read_tables(see: Runner, following: Runner, images: Array) -> dict[str, Array]:
    """`tokens` float32 (N, steps, classes), the probabilities of each step, and `boxes` float32 (N,
    steps, 4) of pictures (N, C, H, W); behind a picture's end both are 0.

    An end before anything else is no end, as with the publisher.
    """
    looked = see.run({"image": images})
    seen, blank = looked["seen"], looked["tokens"]
    steps = blank.shape[1]
    past = np.zeros((*seen.shape[:3], 0, seen.shape[4]), np.float32)
    going = np.arange(len(blank))
    ids = blank[:, :1]
    tokens: list[Array] = []
    boxes: list[Array] = []
    for step in range(steps):
        if step == past.shape[3]:
            past = np.pad(past, ((0, 0), (0, 0), (0, 0), (0, _ROOM), (0, 0)))
        counts = np.full(len(going), step, np.int32)
        found = following.run({"ids": ids, "counts": counts, "past": past, "seen": seen})
        tokens.append(_placed(found["probabilities"], going, len(blank)))
        boxes.append(_placed(found["box"], going, len(blank)))
        past[:, :, :, step] = found["memory"][:, :, :, 0]
        classes = found["probabilities"].shape[1]
        ids = found["probabilities"].argmax(1).astype(np.int32)[:, None]
        kept = (ids[:, 0] != classes + END) | (step == 0)
        if not kept.all():
            going, ids, past, seen = going[kept], ids[kept], past[kept], seen[kept]
        if not len(going):
            break
    return {"tokens": np.stack(tokens, 1), "boxes": np.stack(boxes, 1)}


def _placed(values: Array, places: Array, count: int) -> Array:
    """The rows of `values` at their places among `count`, zeros elsewhere."""
    whole = np.zeros((count, *values.shape[1:]), np.float32)
    whole[places] = values
    return whole
