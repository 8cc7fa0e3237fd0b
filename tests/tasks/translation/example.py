"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.sequences import Sequences
from zoohub.tasks.contract import Row

CONTRACT = InputContract(
    text=TextContract(
        max_length=8, vocab_size=12, start_id=1, end_id=2, beam_width=2, max_decode_length=4,
        length_penalty=1.0,
    )
)  # fmt: skip
INPUTS = [Sentence("a", ids=(5, 6)), Sentence("b", ids=(7, 2)), Sentence("c", ids=(3, 4, 5, 2))]
EXPECTED = [
    [{"text": None, "score": -0.5, "tokens": [5, 6]}],
    [{"text": None, "score": -0.5, "tokens": [7]}],
    [{"text": None, "score": -0.5, "tokens": [3, 4, 5]}],
]


def perfect(rows: Sequence[Row]) -> Sequences:
    """What a search gives that copies its sentences, in the second beam."""
    ids = np.full((len(rows), 2, 6), 2, np.int32)
    ids[:, :, 0] = 1
    for beams, row in zip(ids, rows, strict=True):
        source = row.inputs["source_ids"]
        beams[1, 1 : 1 + len(source)] = source
    return Sequences(ids, np.tile(np.float32([-1.5, -0.5]), (len(rows), 1)))
