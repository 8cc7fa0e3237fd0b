"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.text_heads import SpanScores
from zoohub.tasks.contract import Row

NUMBERS = ["one", "two", "three", "four"]
THINGS = ["cat", "dog"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *NUMBERS, *THINGS, "which", "and", "##s"]
CONTRACT = InputContract(text=TextContract(max_length=16, vocab_size=len(WORDS)))
NETWORK = """
network:
  builder: bert
  arguments:
    {vocab_size: 14, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2,
     intermediate_size: 64, max_position_embeddings: 16, type_vocab_size: 2,
     head: question-answering}
text: {max_length: 16, vocab_size: 14}
"""


def write(folder: Path) -> Path:
    """Data that the task's reader takes: the number is always the answer; one context has none of
    its answer."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    random = np.random.default_rng(0)
    rows = []
    for _ in range(40):
        thing, number = random.choice(THINGS), random.choice(NUMBERS)
        context = " ".join(random.permutation([thing, "and", number, "dogs"]))
        rows.append({"question": f"which {thing}?", "context": context, "answer": str(number)})
    rows.insert(7, {"question": "which?", "context": "one dog", "answer": "two"})
    file = folder / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def perfect(rows: Sequence[Row], targets: Sequence[object], classes: int) -> SpanScores:
    """Scores that are always right."""
    starts = np.zeros((len(rows), 16), np.float32)
    ends = starts.copy()
    for place, (row, truth) in enumerate(zip(rows, targets, strict=True)):
        first, last = truth.tokens or (-row.geometry.place,) * 2  # type: ignore[attr-defined]
        starts[place, row.geometry.place + first] = 20  # type: ignore[attr-defined]
        ends[place, row.geometry.place + last] = 20  # type: ignore[attr-defined]
    return SpanScores(starts, ends)
