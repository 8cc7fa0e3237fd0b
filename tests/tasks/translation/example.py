"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.sequences import Sequences
from zoohub.tasks.contract import Row
from zoohub.tasks.translation.parallel import Reference

WORDS = ["<unk>", "<s>", "</s>", *"abcdefghij"]
CONTRACT = InputContract(
    text=TextContract(
        max_length=16, vocab_size=len(WORDS), start_id=1, end_id=2, beam_width=2,
        max_decode_length=12, length_penalty=1.0,
    )
)  # fmt: skip
NETWORK = """
network:
  builder: transformer
  arguments:
    {hidden_size: 16, num_hidden_layers: 1, intermediate_size: 32, num_attention_heads: 2,
     vocab_size: 13, hidden_dropout_prob: 0.0, attention_probs_dropout_prob: 0.0,
     max_decode_length: 12}
text: {max_length: 16, vocab_size: 13, start_id: 1, end_id: 2, beam_width: 2, max_decode_length: 12,
       length_penalty: 1.0}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: sentences that are turned round, and an empty one
    among them."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    rows = [random.choice(list("abcdefghij"), 4 + n % 5).tolist() for n in range(40)]
    pairs = [(" ".join(row), " ".join(row[::-1])) for row in rows]
    pairs.insert(7, ("a b", " "))
    for side, name in enumerate(("source.txt", "target.txt")):
        (folder / name).write_text("".join(f"{pair[side]}\n" for pair in pairs))
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return folder


def perfect(rows: Sequence[Row], targets: Sequence[Reference], classes: int) -> Sequences:
    """What a search gives that is always right, in the second beam."""
    ids = np.full((len(rows), 2, 13), 2, np.int32)
    ids[:, :, 0] = 1
    for beams, target in zip(ids, targets, strict=True):
        beams[1, 1 : 1 + len(target.ids)] = target.ids
    return Sequences(ids, np.tile(np.float32([-1.5, -0.5]), (len(rows), 1)))
