"""A bidirectional LSTM that classifies reviews.

Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997). Parameter names are those of
the models repository (official/nlp/lstm).
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class LSTMClassifier(nn.Cell):
    """ids int32 (B, L) -> logits (B, num_classes). Arguments are those of `lstm`."""

    def __init__(
        self, vocab_size: int, embed_dim: int, hidden: int, layers: int, num_classes: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.embedding.embedding_table.requires_grad = False
        self.encoder = nn.LSTM(embed_dim, hidden, num_layers=layers, bidirectional=True)
        self.decoder = nn.Dense(4 * hidden, num_classes)

    def construct(self, ids: Tensor) -> Tensor:
        states, _ = self.encoder(ops.transpose(self.embedding(ids), (1, 0, 2)))
        return self.decoder(ops.concat((states[0], states[-1]), 1))


def lstm(
    vocab_size: int = 2000,
    embed_dim: int = 300,
    hidden: int = 100,
    layers: int = 2,
    num_classes: int = 2,
) -> LSTMClassifier:
    """Bidirectional LSTM: ids int32 (B, L) -> logits (B, num_classes).

    The classifier sees the states at the first and the last word.

    Args:
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word; the embedding is not trained.
        hidden: states of each direction.
        layers: LSTMs, each over the one before.
        num_classes: outputs of the classifier.
    """
    return LSTMClassifier(vocab_size, embed_dim, hidden, layers, num_classes)
