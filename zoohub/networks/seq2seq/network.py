"""A recurrent translator that reads the source backwards and hands over its last state.

Source: Sutskever et al., "Sequence to Sequence Learning with Neural Networks" (2014). Parameter
names are those of the models repository's training graph (research/nlp/seq2seq). Shapes: B pairs
of S source and T target tokens, C channels.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Uniform

from zoohub.networks.layers.recurrent import LSTMLayer

INIT = 0.1


class Encoder(nn.Cell):
    """(S, B, C) -> the last layer's last state and cell, each (B, C)."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.encoder_layers = nn.CellList([LSTMLayer(width, width) for _ in range(layers)])
        self.drop = nn.Dropout(p=0.2)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = ops.flip(x, (0,))
        state = cell = x[0]
        for layer in self.encoder_layers:
            x, state, cell = layer(self.drop(x))
        return state, cell


class Decoder(nn.Cell):
    """(T, B, C) and where each layer starts -> logits (T, B, vocab_size)."""

    def __init__(self, vocab_size: int, width: int, layers: int) -> None:
        super().__init__()
        init = Uniform(INIT)
        self.decoder_layers = nn.CellList([LSTMLayer(width, width) for _ in range(layers)])
        self.classifier = nn.Dense(width, vocab_size, weight_init=init, bias_init=init)
        self.drop = nn.Dropout(p=0.2)

    def construct(self, x: Tensor, state: Tensor, cell: Tensor) -> Tensor:
        for layer in self.decoder_layers:
            x = layer(self.drop(x), state, cell)[0]
        return self.classifier(x)


class Translator(nn.Cell):
    """source ids (B, S), target ids (B, T) -> logits (T, B, vocab_size)."""

    def __init__(self, vocab_size: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding_lookup = nn.Embedding(vocab_size, width, embedding_table=Uniform(INIT))
        self.seq2seq_encoder = Encoder(width, layers)
        self.seq2seq_decoder = Decoder(vocab_size, width, layers)

    def construct(self, source: Tensor, target: Tensor) -> Tensor:
        words = ops.transpose(self.embedding_lookup(source), (1, 0, 2))
        state, cell = self.seq2seq_encoder(words)
        words = ops.transpose(self.embedding_lookup(target), (1, 0, 2))
        return self.seq2seq_decoder(words, state, cell)


class Seq2Seq(nn.Cell):
    """source ids (B, S), target ids (B, T) -> log-probabilities (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, width: int, layers: int) -> None:
        super().__init__()
        self.seq2seq = Translator(vocab_size, width, layers)

    def construct(self, source: Tensor, target: Tensor) -> Tensor:
        logits = ops.transpose(self.seq2seq(source, target), (1, 0, 2))
        return ops.log_softmax(logits, -1)


def seq2seq(vocab_size: int = 32130, embed_dim: int = 1024, layers: int = 4) -> Seq2Seq:
    """Seq2seq: source ids int32 (B, S), target ids (B, T) -> log-probabilities (B, T, vocab_size).

    Each target token's successor is told, given those before it. All layers of the decoder start
    where the encoder's last one ended. On a CPU both lengths may stay open in graph mode
    (`net.set_inputs`) and in exported files; Ascend compiles anew for each pair of them.

    Args:
        vocab_size: tokens of both languages together.
        embed_dim: channels of a token and states of each layer.
        layers: LSTMs of the encoder, and of the decoder.
    """
    return Seq2Seq(vocab_size, embed_dim, layers)
