"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs import ClassScores
from zoohub.tasks.contract import Row

GOOD = ["fine", "great", "lovely"]
BAD = ["poor", "awful", "dull"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *GOOD, *BAD, "the", "film", "was", "##ly"]
CONTRACT = InputContract(text=TextContract(max_length=12, vocab_size=len(WORDS)))
BROKEN = "texts.csv:9"  # the row that nothing can read
NETWORK = """
network:
  builder: bert
  arguments:
    {vocab_size: 15, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2,
     intermediate_size: 32, max_position_embeddings: 12, type_vocab_size: 2, head: classification}
text: {max_length: 12, vocab_size: 15}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: a word decides, and one text is empty."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    random = np.random.default_rng(0)
    rows = []
    for number in range(40):
        label, words = [("bad", BAD), ("good", GOOD)][number % 2]
        extra = " the film" * int(random.integers(0, 3))
        rows.append((f"The film was {random.choice(words)}{extra}", label))
    rows.insert(7, (" ", "good"))
    file = folder / "texts.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    return file


def perfect(rows: Sequence[Row], targets: Sequence[int], classes: int) -> ClassScores:
    """Scores that are always right."""
    return ClassScores(np.eye(classes, dtype=np.float32)[list(targets)] * 20)
