"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.contract import Row

PAIRS = {"king": "queen", "sun": "moon", "salt": "pepper", "cat": "dog"}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PAIRS, *PAIRS.values(), "and", "##s"]
CONTRACT = InputContract(text=TextContract(max_length=16, vocab_size=len(WORDS)))
NETWORK = """
network:
  builder: bert
  arguments:
    {vocab_size: 15, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2,
     intermediate_size: 64, max_position_embeddings: 16, type_vocab_size: 2, head: pretraining}
text: {max_length: 16, vocab_size: 15}
"""


def write(folder: Path) -> Path:
    """Data that the task's reader takes: what stands with a word decides; one line is empty."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    random = np.random.default_rng(0)
    lines = [f"{one} and {PAIRS[one]}" for one in random.choice(list(PAIRS), 60)]
    lines.insert(7, " ")
    file = folder / "texts.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


def perfect(rows: Sequence[Row], targets: Sequence[tuple[int, ...]], classes: int) -> TokenScores:
    """Scores that are always right."""
    most = max(map(len, targets))
    logits = np.zeros((len(targets), most, len(WORDS)), np.float32)
    for row, truth in enumerate(targets):
        logits[row, range(len(truth)), list(truth)] = 20
    return TokenScores(logits)
