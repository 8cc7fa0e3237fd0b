"""TextRCNN, a sentence classifier that sees each word between its contexts.

Source: Lai et al., "Recurrent Convolutional Neural Networks for Text Classification" (2015).
Parameter names are those of the models repository (research/nlp/textrcnn).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from zoohub.networks.layers.recurrent import run_lstm

CellName = Literal["vanilla", "gru", "lstm"]


class TextRCNN(nn.Cell):
    """ids int32 (B, L) -> logits (B, num_classes). Arguments are those of `textrcnn`.

    `output_dense` is in the files and unused, as the publisher left it.
    """

    def __init__(
        self, cell: CellName, vocab_size: int, embed_dim: int, hidden: int, num_classes: int
    ) -> None:
        super().__init__()
        both = hidden + embed_dim
        if cell == "lstm":
            rng, bound = np.random.default_rng(0), hidden**-0.5
            for way in ("fw", "bw"):
                for name, shape in (("w1", (both, 4 * hidden)), ("b1", (4 * hidden,))):
                    value = rng.uniform(-bound, bound, shape).astype(np.float16)
                    setattr(self, f"{name}_{way}", Parameter(Tensor(value), name=f"{name}_{way}"))
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.embedding.embedding_table.requires_grad = False
        if cell == "vanilla":
            for way in ("fw", "bw"):
                setattr(self, f"rnnW_{way}", nn.Dense(hidden, hidden))
                setattr(self, f"rnnU_{way}", nn.Dense(embed_dim, hidden))
        elif cell == "gru":
            for way in ("fw", "bw"):
                for gate in "rzh":
                    setattr(self, f"rnnW{gate}_{way}", nn.Dense(both, hidden))
        self.output_dense = nn.Dense(hidden, num_classes)
        self.text_rep_dense = nn.Dense(2 * hidden + embed_dim, hidden)
        self.mydense = nn.Dense(hidden, num_classes)
        self.drop = nn.Dropout(p=0.3)
        self.cell = cell
        self.hidden = hidden

    def construct(self, ids: Tensor) -> Tensor:
        x = self.drop(ops.transpose(self.embedding(ids), (1, 0, 2)))
        if self.cell == "lstm":
            forward = run_lstm(x, self.w1_fw.astype(x.dtype), self.b1_fw.astype(x.dtype))
            # The publisher's runs from the first word too; the weights were trained so.
            backward = run_lstm(x, self.w1_bw.astype(x.dtype), self.b1_bw.astype(x.dtype))
        else:
            forward = self.states(x, False)
            backward = self.states(x, True)
        edge = ops.zeros((1, ids.shape[0], self.hidden), x.dtype)
        left = ops.concat((edge, forward[:-1]), 0)
        right = ops.concat((backward[1:], edge), 0)
        words = ops.tanh(self.text_rep_dense(ops.concat((left, x, right), 2)))
        return self.mydense(ops.amax(words, 0))

    def states(self, x: Tensor, backward: bool) -> Tensor:
        """The states (L, B, hidden) that `vanilla` and `gru` have after each word."""
        length = x.shape[0]
        state = ops.zeros((x.shape[1], self.hidden), x.dtype)
        found: tuple[Tensor, ...] = ()
        for step in range(length):
            word = x[length - 1 - step] if backward else x[step]
            if self.cell == "vanilla":
                state = self.vanilla_step(word, state, backward)
            else:
                state = self.gru_step(word, state, backward)
            found += (state,)
        return ops.stack(found[::-1] if backward else found)

    def vanilla_step(self, word: Tensor, state: Tensor, backward: bool) -> Tensor:
        """tanh of word and state, each through a dense layer."""
        if backward:
            return ops.tanh(self.rnnW_bw(state) + self.rnnU_bw(word))
        return ops.tanh(self.rnnW_fw(state) + self.rnnU_fw(word))

    def gru_step(self, word: Tensor, state: Tensor, backward: bool) -> Tensor:
        """A gated recurrent unit, its gates over state and word joined."""
        both = ops.concat((state, word), 1)
        if backward:
            reset, update = ops.sigmoid(self.rnnWr_bw(both)), ops.sigmoid(self.rnnWz_bw(both))
            candidate = ops.tanh(self.rnnWh_bw(ops.concat((reset * state, word), 1)))
        else:
            reset, update = ops.sigmoid(self.rnnWr_fw(both)), ops.sigmoid(self.rnnWz_fw(both))
            candidate = ops.tanh(self.rnnWh_fw(ops.concat((reset * state, word), 1)))
        return (1.0 - update) * state + update * candidate


def textrcnn(
    cell: CellName = "gru",
    vocab_size: int = 20305,
    embed_dim: int = 300,
    hidden: int = 512,
    num_classes: int = 2,
) -> TextRCNN:
    """TextRCNN: ids int32 (B, L) -> logits (B, num_classes).

    Args:
        cell: what runs over the words: "vanilla", "gru" or "lstm".
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word; the embedding is not trained.
        hidden: states of each direction.
        num_classes: outputs of the classifier.

    Raises:
        ValueError: an unknown cell.
    """
    if cell not in ("vanilla", "gru", "lstm"):
        raise ValueError(f'cell is "vanilla", "gru" or "lstm", not {cell!r}')
    return TextRCNN(cell, vocab_size, embed_dim, hidden, num_classes)
