"""BERT: the encoder, and heads for pretraining, classes of texts and tokens, and answers.

Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019). Parameter
names are those of the models repository, where ERNIE, THOR's BERT and NEZHA follow the same
scheme. Shapes: B texts, N tokens, C channels, V words, P masked positions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.distances import LearntDistances
from zoohub.networks.layers.text_encoder import (
    EmbeddingPostprocessor,
    Encoder,
    EncoderLayer,
    EncoderSizes,
    Positions,
    SelfAttention,
    embedding,
    padding_bias,
)
from zoohub.networks.layers.text_heads import MaskedWords, NextSentence, check_head, states_at


class Bert(nn.Cell):
    """int32 (B, N) three times -> states (B, N, C), pooled (B, C), table of words (V, C).

    `distances` make one cell for each block that embeds distances instead of positions (NEZHA).
    """

    gives = ("states", "pooled", "table")

    def __init__(
        self,
        sizes: EncoderSizes,
        positions: Positions = "used",
        distances: Callable[[], nn.Cell] | None = None,
    ) -> None:
        super().__init__()
        self.bert_embedding_lookup = embedding(sizes.vocab_size, sizes.hidden_size)
        self.bert_embedding_postprocessor = EmbeddingPostprocessor(sizes, positions)
        self.bert_encoder = Encoder(
            [
                EncoderLayer(
                    sizes, SelfAttention(sizes, None if distances is None else distances())
                )
                for _ in range(sizes.num_hidden_layers)
            ]
        )
        self.dense = dense(sizes.hidden_size, sizes.hidden_size)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        words = self.bert_embedding_lookup(input_ids)
        x = self.bert_embedding_postprocessor(words, token_type_ids)
        x = self.bert_encoder(x, padding_bias(attention_mask))
        return x, ops.tanh(self.dense(x[:, 0])), self.bert_embedding_lookup.embedding_table


class BertPretraining(nn.Cell):
    """Words and whether the second text follows.

    int32 (B, N) three times and positions (B, P) -> log-probabilities (B·P, V) and (B, 2); or
    without `masked_lm_positions`, or without `log_softmax`, of every token: (B, N, V).
    """

    gives = ("words", "next_sentence")

    def __init__(
        self, bert: Bert, sizes: EncoderSizes, log_softmax: bool, own_table: bool = False
    ) -> None:
        super().__init__()
        self.log_softmax = log_softmax
        self.bert = bert
        self.cls1 = MaskedWords(sizes, own_table)
        self.cls2 = NextSentence(sizes.hidden_size)

    def construct(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor,
        attention_mask: Tensor,
        masked_lm_positions: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        states, pooled, table = self.bert(input_ids, token_type_ids, attention_mask)
        if masked_lm_positions is not None:
            states = states_at(states, masked_lm_positions)
        words, follows = self.cls1(states, table), self.cls2(pooled)
        if self.log_softmax:
            return ops.log_softmax(words, -1), ops.log_softmax(follows, -1)
        return words, follows


class BertClassifier(nn.Cell):
    """int32 (B, N) three times -> a class for each text: (B, num_labels)."""

    gives = ("classes",)

    def __init__(self, bert: Bert, channels: int, num_labels: int, log_softmax: bool) -> None:
        super().__init__()
        self.log_softmax = log_softmax
        self.bert = bert
        self.dense_1 = dense(channels, num_labels)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        _, pooled, _ = self.bert(input_ids, token_type_ids, attention_mask)
        logits = self.dense_1(pooled)
        return ops.log_softmax(logits, -1) if self.log_softmax else logits


class BertTagger(nn.Cell):
    """int32 (B, N) three times -> classes of each token.

    Log-probabilities (B·N, num_labels), or without `log_softmax` logits (B, N, num_labels).
    """

    gives = ("tags",)

    def __init__(self, bert: Bert, channels: int, num_labels: int, log_softmax: bool) -> None:
        super().__init__()
        self.log_softmax = log_softmax
        self.num_labels = num_labels
        self.bert = bert
        self.dense_1 = dense(channels, num_labels)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        states, _, _ = self.bert(input_ids, token_type_ids, attention_mask)
        logits = self.dense_1(states)
        if self.log_softmax:
            return ops.log_softmax(ops.reshape(logits, (-1, self.num_labels)), -1)
        return logits


class BertChainTagger(nn.Cell):
    """int32 (B, N) three times -> scores of each token's classes and of one class after another.

    (B, N, num_labels), and (num_labels, num_labels): row t, column s is the score of t after s. The
    last two classes are start and stop. The best chain is Viterbi's. With `recurrent` an LSTM in
    both directions reads the states first.
    """

    gives = ("tags", "after")

    def __init__(self, bert: Bert, channels: int, num_labels: int, recurrent: bool) -> None:
        super().__init__()
        self.bert = bert
        self.dense_1 = dense(channels, num_labels)
        self.recurrent = recurrent
        if recurrent:
            self.lstm = nn.LSTM(channels, channels // 2, batch_first=True, bidirectional=True)
        self.transitions = Parameter(initializer("normal", (num_labels, num_labels)))

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        states, _, _ = self.bert(input_ids, token_type_ids, attention_mask)
        if self.recurrent:
            states, _ = self.lstm(states)
        return self.dense_1(states), self.transitions


class BertAnswers(nn.Cell):
    """int32 (B, N) three times -> where an answer starts and ends.

    Log-probabilities over the tokens (B, N, 2), or without `log_softmax` logits (B, N) twice.
    """

    def __init__(self, bert: Bert, channels: int, log_softmax: bool) -> None:
        super().__init__()
        self.log_softmax = log_softmax
        self.gives = ("answers",) if log_softmax else ("starts", "ends")
        self.bert = bert
        self.dense1 = dense(channels, 2)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor | tuple[Tensor, Tensor]:
        states, _, _ = self.bert(input_ids, token_type_ids, attention_mask)
        logits = self.dense1(states)
        if self.log_softmax:
            return ops.log_softmax(logits, 1)
        return logits[..., 0], logits[..., 1]


def with_head(
    bert: Bert, sizes: EncoderSizes, head: str, num_labels: int, log_softmax: bool
) -> nn.Cell:
    """The encoder under one of the heads of `bert`.

    Raises:
        ValueError: there is no such head.
    """
    check_head(head)
    if head == "pretraining":
        return BertPretraining(bert, sizes, log_softmax)
    if head == "classification":
        return BertClassifier(bert, sizes.hidden_size, num_labels, log_softmax)
    if head == "tagging":
        return BertTagger(bert, sizes.hidden_size, num_labels, log_softmax)
    if head in ("chain-tagging", "recurrent-chain-tagging"):
        return BertChainTagger(bert, sizes.hidden_size, num_labels, head.startswith("recurrent"))
    if head == "question-answering":
        return BertAnswers(bert, sizes.hidden_size, log_softmax)
    return bert


def bert(
    vocab_size: int = 21128,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 512,
    type_vocab_size: int = 16,
    hidden_act: str = "gelu_tanh",
    layer_norm_eps: float = 1e-7,
    head: str = "encoder",
    num_labels: int = 2,
    log_softmax: bool = True,
    longest_distance: int = 0,
    dropout: float = 0.0,
    turned: bool = False,
) -> nn.Cell:
    """BERT: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    Args:
        vocab_size: words in the vocabulary.
        hidden_size: channels of a token: 768 (base), 1024 (large).
        num_hidden_layers: blocks: 12, 24.
        num_attention_heads: heads of each attention: 12, 16.
        intermediate_size: channels between a block's two dense layers: 3072, 4096.
        max_position_embeddings: tokens of the longest text.
        type_vocab_size: kinds of token: 16 in the models repository, 2 elsewhere.
        hidden_act: "gelu_tanh" (models, MindFormers), "gelu" (MindNLP), "fast_gelu" or "relu".
        layer_norm_eps: epsilon of the layer norms: 1e-7 (models), 1e-12 (MindNLP), 1e-5
            (MindFormers).
        head: "encoder": states (B, N, C), pooled (B, C) and the table of words; "pretraining":
            takes positions (B, P) too, words (B·P, V) and next sentence (B, 2); "classification":
            (B, num_labels); "tagging": (B·N, num_labels); "chain-tagging" and
            "recurrent-chain-tagging": (B, N, num_labels) and the scores of a class after another,
            for a conditional random field; "question-answering": start and end (B, N, 2).
        num_labels: classes of texts or tokens.
        log_softmax: heads give log-probabilities (of answers over the tokens); else logits:
            tags (B, N, num_labels), start and end (B, N) each.
        longest_distance: embed distances between tokens up to this one instead of positions
            (NEZHA: 16); 0: positions.
        dropout: share of values set to zero in training.
        turned: the weights behind attention, and of the two dense layers, are (in, out), as in
            MindFormers' files.

    Raises:
        ValueError: no such head or activation, or heads that do not divide the hidden size.
    """
    sizes = EncoderSizes(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size,
        hidden_act,
        layer_norm_eps,
        dropout,
        turned=turned,
    )
    if not longest_distance:
        return with_head(Bert(sizes), sizes, head, num_labels, log_softmax)
    distances = partial(LearntDistances, longest_distance, hidden_size // num_attention_heads)
    return with_head(Bert(sizes, "unused", distances), sizes, head, num_labels, log_softmax)
