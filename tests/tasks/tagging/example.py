"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.contract import Row

PEOPLE = ["ann", "bob", "eve"]
OTHERS = ["saw", "met", "the", "dog"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PEOPLE, *OTHERS, "##s", "##by"]
CONTRACT = InputContract(text=TextContract(max_length=16, vocab_size=len(WORDS)))
BROKEN = "people.conll:28"  # the word without a tag
NETWORK = """
network:
  builder: bert
  arguments:
    {vocab_size: 14, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2,
     intermediate_size: 32, max_position_embeddings: 16, type_vocab_size: 2, head: tagging}
text: {max_length: 16, vocab_size: 14}
"""


def write(folder: Path) -> Path:
    """Data that the task's reader takes: who is a person follows from the word, of two words it is
    the first that decides; one text has a word without a tag."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    random = np.random.default_rng(0)
    texts = [["-DOCSTART- -X- O O"]]
    for number in range(40):
        one, other = random.choice(PEOPLE, 2)
        texts.append(
            [f"{one}s NN B-PER", "met VB O", f"{other} NN B-PER", "the DT O"][: 2 + number % 3]
        )
    texts.insert(7, ["the DT O", "dog"])
    file = folder / "people.conll"
    file.write_text("\n\n".join(map("\n".join, texts)) + "\n")
    return file


def perfect(rows: Sequence[Row], targets: Sequence[tuple[int, ...]], classes: int) -> TokenScores:
    """Scores that are always right."""
    logits = np.zeros((len(rows), CONTRACT.text.max_length, classes), np.float32)  # type: ignore[union-attr,arg-type]
    for place, (row, tags) in enumerate(zip(rows, targets, strict=True)):
        logits[place, list(row.geometry.firsts), list(tags)] = 20  # type: ignore[attr-defined]
    return TokenScores(logits)
