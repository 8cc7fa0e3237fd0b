"""GNMT, a recurrent translator.

Source: Wu et al., "Google's Neural Machine Translation System" (2016), in the form of NVIDIA's
second version. Parameter names are those of the models repository (official/nlp/gnmt_v2). Shapes:
B pairs of S source and T target tokens, C channels.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.layers.recurrent import LSTMLayer

HIDDEN = -65504.0  # added to the score of padding
INIT = 0.1


class Encoder(nn.Cell):
    """(S, B, C) -> the same shape: one layer in both directions, the others forward."""

    def __init__(self, width: int, layers: int, split: bool) -> None:
        super().__init__()
        channels = [width, width, 2 * width, *([width] * (layers - 2))]
        self.encoder_layers = nn.CellList([LSTMLayer(size, width, split) for size in channels])
        self.drop = nn.Dropout(p=0.2)

    def construct(self, x: Tensor) -> Tensor:
        x = self.drop(x)
        forward = backward = x
        for number, layer in enumerate(self.encoder_layers):
            if number == 0:
                forward = layer(x)[0]
            elif number == 1:
                backward = ops.flip(layer(ops.flip(x, (0,)))[0], (0,))
            elif number == 2:
                x = layer(self.drop(ops.concat((forward, backward), 2)))[0]
            else:
                x = x + layer(self.drop(x))[0]
        return x


class AdditiveAttention(nn.Cell):
    """queries (T, B, C), keys (S, B, C), mask (B, S) -> what each query finds, (T, B, C).

    Source: Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and
    Translate" (2015), the score's weights normalised.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_att = Parameter(initializer(Uniform(INIT), (width,)))
        self.normalize_scalar = Parameter(initializer(1.0 / width, (1,)))
        self.normalize_bias = Parameter(initializer("zeros", (width,)))
        self.linear_q = nn.Dense(width, width, weight_init=Uniform(INIT), has_bias=False)
        self.linear_k = nn.Dense(width, width, weight_init=Uniform(INIT), has_bias=False)

    def construct(self, queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        keys = ops.transpose(keys, (1, 0, 2))
        asked = ops.expand_dims(self.linear_q(ops.transpose(queries, (1, 0, 2))), 2)
        sums = asked + ops.expand_dims(self.linear_k(keys), 1) + self.normalize_bias
        length = ops.sqrt(ops.square(self.linear_att).sum())
        weights = self.linear_att / length * self.normalize_scalar
        scores = (ops.tanh(sums) * weights).sum(-1)
        scores = scores + HIDDEN * ops.expand_dims(1.0 - mask.astype(scores.dtype), 1)
        return ops.transpose(ops.bmm(ops.softmax(scores, -1), keys), (1, 0, 2))


class RecurrentAttention(nn.Cell):
    """The attention under the name that the files have before it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = AdditiveAttention(width)

    def construct(self, queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        return self.attn(queries, keys, mask)


class Decoder(nn.Cell):
    """target (T, B, C), encoded (S, B, C), mask (B, S) -> logits (T, B, vocab_size).

    The first layer's states ask once; what they find goes into every layer after it.
    """

    def __init__(self, vocab_size: int, width: int, layers: int, split: bool) -> None:
        super().__init__()
        channels = [width, *([2 * width] * (layers - 1))]
        self.decoder_layers = nn.CellList([LSTMLayer(size, width, split) for size in channels])
        self.att_rnn = RecurrentAttention(width)
        init = Uniform(INIT)
        self.classifier = nn.Dense(width, vocab_size, weight_init=init, bias_init=init)
        self.drop = nn.Dropout(p=0.2)

    def construct(self, target: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        x = self.drop(target)
        found = x
        for number, layer in enumerate(self.decoder_layers):
            if number == 0:
                x = layer(x)[0]
                found = self.att_rnn(x, encoded, mask)
            else:
                states = layer(self.drop(ops.concat((x, found), 2)))[0]
                x = states if number == 1 else x + states
        return self.classifier(x)


class Translator(nn.Cell):
    """source, target ids (B, S), (B, T), mask (B, S) -> logits (T, B, vocab_size)."""

    def __init__(self, vocab_size: int, width: int, layers: int, split: bool) -> None:
        super().__init__()
        self.embedding_lookup = nn.Embedding(vocab_size, width, embedding_table=Uniform(INIT))
        self.gnmt_encoder = Encoder(width, layers, split)
        self.gnmt_decoder = Decoder(vocab_size, width, layers, split)

    def construct(self, source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        encoded = self.gnmt_encoder(ops.transpose(self.embedding_lookup(source), (1, 0, 2)))
        words = ops.transpose(self.embedding_lookup(target), (1, 0, 2))
        return self.gnmt_decoder(words, encoded, mask)


class GNMT(nn.Cell):
    """source ids (B, S), target ids (B, T), mask (B, S) -> log-probabilities (B, T, vocab_size)."""

    def __init__(self, vocab_size: int, width: int, layers: int, split: bool) -> None:
        super().__init__()
        self.gnmt = Translator(vocab_size, width, layers, split)

    def construct(self, source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        logits = ops.transpose(self.gnmt(source, target, mask), (1, 0, 2))
        return ops.log_softmax(logits, -1)


def gnmt_v2(
    vocab_size: int = 32320, embed_dim: int = 1024, layers: int = 4, split_weights: bool = False
) -> GNMT:
    """GNMT: source ids int32 (B, S), target ids (B, T), mask (B, S) -> (B, T, vocab_size).

    The mask is 1 for tokens and 0 for padding. The result is the log-probability of each target
    token's successor, given those before it. On a CPU both lengths may stay open in graph mode
    (`net.set_inputs`) and in exported files; Ascend compiles anew for each pair of them.

    Args:
        vocab_size: tokens of both languages together.
        embed_dim: channels of a token and states of each layer.
        layers: LSTMs of the decoder; the encoder has one more, for the other direction.
        split_weights: the file was trained on other devices than Ascend: `nn.LSTM`'s own weights
            are beside Ascend's and are the ones that count.

    Raises:
        ValueError: less than two layers.
    """
    if layers < 2:
        raise ValueError(f"layers={layers}: two at least are needed")
    return GNMT(vocab_size, embed_dim, layers, split_weights)
