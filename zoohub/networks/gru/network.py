"""A translator of gated recurrent units whose decoder attends to the source.

Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014), and for the
attention Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate"
(2015). Parameter names are those of the models repository (official/nlp/gru). Shapes: B pairs of S
source and T target tokens, C channels, H states.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class Encoder(nn.Cell):
    """source ids (B, S) -> the states of both directions (B, S, 2H), and where the decoder starts
    (B, H)."""

    def __init__(self, vocab_size: int, embed_dim: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.rnn = nn.GRU(embed_dim, hidden, bidirectional=True)
        self.fc = nn.Dense(2 * hidden, hidden)

    def construct(self, source: Tensor) -> tuple[Tensor, Tensor]:
        states, last = self.rnn(ops.transpose(self.embedding(source), (1, 0, 2)))
        start = ops.tanh(self.fc(ops.concat((last[0], last[1]), 1)))
        return ops.transpose(states, (1, 0, 2)), start


class Attention(nn.Cell):
    """The decoder's state (B, H), the source's (B, S, 2H) -> these, weighted: (B, 2H).

    Padding counts as words do.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.attn = nn.Dense(3 * hidden, hidden)
        self.fc = nn.Dense(hidden, 1, has_bias=False)

    def construct(self, state: Tensor, encoded: Tensor) -> Tensor:
        texts, length, _ = encoded.shape
        asked = ops.broadcast_to(ops.expand_dims(state, 1), (texts, length, state.shape[1]))
        energy = ops.tanh(self.attn(ops.concat((asked, encoded), 2)))
        weights = ops.softmax(self.fc(energy), 1)
        return (weights * encoded).sum(1)


class Decoder(nn.Cell):
    """target ids (B, T), the source's states (B, S, 2H), where to start (B, H) -> logits
    (B, T, vocab_size).

    The unit begins anew at every token, as the publisher's does: what went before reaches it by
    the attention alone, which the last state asks.
    """

    def __init__(self, vocab_size: int, embed_dim: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.rnn = nn.GRU(embed_dim + 2 * hidden, hidden)
        self.fc = nn.Dense(embed_dim + 3 * hidden, vocab_size)
        self.attention = Attention(hidden)
        self.drop = nn.Dropout(p=0.3)

    def construct(self, target: Tensor, encoded: Tensor, state: Tensor) -> Tensor:
        words = self.embedding(target)
        found: tuple[Tensor, ...] = ()
        for step in range(target.shape[1]):
            word = words[:, step]
            context = self.attention(state, encoded)
            states, _ = self.rnn(ops.expand_dims(ops.concat((word, context), 1), 0))
            state = states[0]
            found += (self.drop(self.fc(ops.concat((word, state, context), 1))),)
        return ops.stack(found, 1)


class GRU(nn.Cell):
    """source ids (B, S), target ids (B, T) -> log-probabilities (B, T, target_vocab)."""

    def __init__(self, source_vocab: int, target_vocab: int, embed_dim: int, hidden: int) -> None:
        super().__init__()
        self.encoder = Encoder(source_vocab, embed_dim, hidden)
        self.decoder = Decoder(target_vocab, embed_dim, hidden)

    def construct(self, source: Tensor, target: Tensor) -> Tensor:
        encoded, start = self.encoder(source)
        return ops.log_softmax(self.decoder(target, encoded, start), -1)


def gru(
    source_vocab: int = 8154, target_vocab: int = 6113, embed_dim: int = 256, hidden: int = 512
) -> GRU:
    """GRU translator: source ids int32 (B, S), target ids (B, T) -> (B, T, target_vocab).

    The result is the log-probability of each target token's successor, given those before it. The
    publisher fills sources up to 32 tokens; each number of target tokens is compiled anew.

    Args:
        source_vocab: tokens of the language that is translated.
        target_vocab: tokens of the other.
        embed_dim: channels of a token of either.
        hidden: states of each direction of the encoder, and of the decoder.
    """
    return GRU(source_vocab, target_vocab, embed_dim, hidden)
