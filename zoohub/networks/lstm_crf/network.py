"""A bidirectional LSTM under a conditional random field, which tags each word of a text.

Source: Huang et al., "Bidirectional LSTM-CRF Models for Sequence Tagging" (2015). Parameter names
are those of the models repository (research/nlp/lstm_crf). Shapes: B texts, N words, K tags.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer


class Emissions(nn.Cell):
    """ids int32 (B, N) -> what each word scores as each tag (B, N, num_labels)."""

    def __init__(
        self, vocab_size: int, embed_dim: int, hidden: int, layers: int, num_labels: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.embedding.embedding_table.requires_grad = False
        self.lstm = nn.LSTM(embed_dim, hidden, num_layers=layers, bidirectional=True)
        self.fc = nn.Dense(2 * hidden, num_labels)

    def construct(self, ids: Tensor) -> Tensor:
        states, _ = self.lstm(ops.transpose(self.embedding(ids), (1, 0, 2)))
        return ops.transpose(self.fc(states), (1, 0, 2))


class ChainTagger(nn.Cell):
    """ids int32 (B, N) -> scores of the tags. Arguments are those of `lstm_crf`."""

    gives = ("tags", "after")

    def __init__(
        self, vocab_size: int, embed_dim: int, hidden: int, layers: int, num_labels: int
    ) -> None:
        super().__init__()
        self.transitions = Parameter(initializer("normal", (num_labels, num_labels)))
        self.lstm = Emissions(vocab_size, embed_dim, hidden, layers, num_labels)

    def construct(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        return self.lstm(ids), self.transitions


def lstm_crf(
    vocab_size: int = 20027,
    embed_dim: int = 300,
    hidden: int = 320,
    layers: int = 2,
    num_labels: int = 25,
) -> ChainTagger:
    """LSTM-CRF: ids int32 (B, N) -> scores of each word's tags (B, N, K) and of a tag after another
    (K, K), float32, whose row t, column s is the score of t after s.

    The last two tags are a text's start and end. The best chain is Viterbi's.

    Args:
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word (GloVe's); the embedding is not trained.
        hidden: states of each direction.
        layers: LSTMs, each over the one before.
        num_labels: tags, and start and end.
    """
    return ChainTagger(vocab_size, embed_dim, hidden, layers, num_labels)
