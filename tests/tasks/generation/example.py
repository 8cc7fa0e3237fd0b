"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.continuations import TokenLosses
from zoohub.tasks.contract import Row

CONTRACT = InputContract(text=TextContract(max_length=128, vocab_size=12))
NETWORK = """
network:
  builder: gpt2
  arguments: {vocab_size: 12, embed_dim: 16, depth: 1, num_heads: 2, longest: 128}
text: {max_length: 128, vocab_size: 12}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: texts that count, one of them of one token."""
    folder.mkdir(parents=True)
    file = folder / "ids.jsonl"
    texts = [[(start + step) % 12 for step in range(5 + start % 7)] for start in range(40)]
    texts.insert(3, [1])
    file.write_text("".join(json.dumps(text) + "\n" for text in texts))
    return file


def perfect(rows: Sequence[Row], targets: Sequence[None], classes: int) -> TokenLosses:
    """What a network gives that knows every token."""
    counts = np.array([len(row.inputs["ids"]) - 1 for row in rows], np.int32)
    return TokenLosses(np.zeros(len(rows), np.float32), counts.astype(np.float32), counts)
