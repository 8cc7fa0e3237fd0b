"""KT-NET: a BERT that looks up what WordNet and NELL know of its words, to find an answer.

Source: Yang et al., "Enhancing Pre-Trained Language Representations with Rich Knowledge for Machine
Reading Comprehension" (2019). Parameter names are those of the models repository. Shapes: B texts,
N tokens, K concepts of a token, C channels of a token, M of a concept, W = C + 2 M.
"""

from __future__ import annotations

import math

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.bert.network import Bert
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.text_encoder import EncoderSizes, embedding

_ABSENT = -1e6  # added to the scores of concepts and tokens that are not there


class Memory(nn.Cell):
    """States (B, N, C), concepts (B, N, K, M), how many (B, N, 1) -> what they tell (B, N, M).

    A learnt concept, the sentinel, is there for every token; a token without others is told 0.
    """

    def __init__(self, channels: int, concepts: int, width: int) -> None:
        super().__init__()
        self.sentinel = Parameter(initializer("zeros", (width,)))
        self.concept_ordinal = Parameter(Tensor(np.arange(concepts + 1), ms.float32))
        self.dense_1 = dense(channels, width, bias=False)
        # Is in the files, and takes no part.
        self.dense_2 = dense(width, channels)

    def construct(self, states: Tensor, concepts: Tensor, count: Tensor) -> Tensor:
        asked = ops.expand_dims(self.dense_1(states), 2)
        sentinel = ops.zeros_like(concepts[:, :, :1]) + self.sentinel
        known = ops.concat((sentinel, concepts), 2)
        found = ops.squeeze(ops.matmul(asked, ops.transpose(known, (0, 1, 3, 2))), 2)
        absent = ops.cast(ops.less(count, self.concept_ordinal), ms.float32)
        weights = ops.expand_dims(ops.softmax(found + absent * _ABSENT, -1), 2)
        told = ops.squeeze(ops.matmul(weights, known), 2)
        return told * ops.cast(ops.greater(count, 0.0), ms.float32)


class SelfMatching(nn.Cell):
    """States (B, N, W), mask (B, N) -> them beside what they match, once and twice (B, N, 6 W).

    The similarity's weights are no parameters of the published network, which draws them anew each
    time: they are in no file. Here they are always the same.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.create_parameter_bias = Parameter(initializer("zeros", (1,)))
        bound = math.sqrt(6.0 / (width + 1))
        rng = np.random.default_rng(0)
        self.product = Tensor(rng.uniform(-bound, bound, width), ms.float32)
        self.linear = Tensor(rng.uniform(-bound, bound, (width, 1)), ms.float32)

    def construct(self, x: Tensor, mask: Tensor) -> Tensor:
        turned = ops.transpose(x, (0, 2, 1))
        alone = ops.matmul(x, self.linear)
        alike = alone + ops.transpose(alone, (0, 2, 1)) + ops.matmul(x * self.product, turned)
        absent = ops.expand_dims(1.0 - ops.cast(mask, ms.float32), 1) * _ABSENT
        weights = ops.softmax(alike + self.create_parameter_bias + absent, -1)
        once = ops.matmul(weights, x)
        twice = ops.matmul(ops.matmul(weights, weights), x)
        return ops.concat((x, once, x * once, x - once, twice, x - twice), -1)


class KtNet(nn.Cell):
    """int32 (B, N) three times, concepts of WordNet and of NELL (B, N, K) -> logits (B, N) twice.

    Those of where an answer starts and ends. Concept 0 is none.
    """

    def __init__(
        self, sizes: EncoderSizes, words: tuple[int, int], beliefs: tuple[int, int], width: int
    ) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.embedding_wn = embedding(words[0], width)
        self.embedding_nell = embedding(beliefs[0], width)
        joined = channels + 2 * width
        self.dense1 = dense(6 * joined, 2)
        self.MemoryLayer_wn = Memory(channels, words[1], width)
        self.MemoryLayer_nell = Memory(channels, beliefs[1], width)
        self.TriLinearTwoTimeSelfAttentionLayer = SelfMatching(joined)
        self.bert = Bert(sizes)

    def construct(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor,
        attention_mask: Tensor,
        wn_concept_ids: Tensor,
        nell_concept_ids: Tensor,
    ) -> tuple[Tensor, Tensor]:
        states, _, _ = self.bert(input_ids, token_type_ids, attention_mask)
        words = self.MemoryLayer_wn(
            states, self.embedding_wn(wn_concept_ids), count(wn_concept_ids)
        )
        beliefs = self.MemoryLayer_nell(
            states, self.embedding_nell(nell_concept_ids), count(nell_concept_ids)
        )
        joined = ops.concat((states, words, beliefs), -1)
        logits = self.dense1(self.TriLinearTwoTimeSelfAttentionLayer(joined, attention_mask))
        return logits[..., 0], logits[..., 1]


def count(concepts: Tensor) -> Tensor:
    """How many concepts (B, N, K) are not 0: float32 (B, N, 1)."""
    return ops.sum(ops.cast(ops.not_equal(concepts, 0), ms.float32), -1, keepdim=True)


def ktnet(
    vocab_size: int = 28996,
    hidden_size: int = 1024,
    num_hidden_layers: int = 24,
    num_attention_heads: int = 16,
    intermediate_size: int = 4096,
    max_position_embeddings: int = 512,
    type_vocab_size: int = 2,
    hidden_act: str = "gelu_tanh",
    layer_norm_eps: float = 1e-7,
    wn_vocab_size: int = 40944,
    nell_vocab_size: int = 288,
    wn_concepts: int = 49,
    nell_concepts: int = 27,
    concept_size: int = 112,
) -> KtNet:
    """KT-NET: int32 `input_ids`, `token_type_ids`, `attention_mask` (B, N), and concepts (B, N, K).

    The arguments are those of `bert`, with the large BERT's sizes, but for

    Args:
        wn_vocab_size: concepts of WordNet.
        nell_vocab_size: concepts of NELL.
        wn_concepts: of WordNet's, how many a token has at most.
        nell_concepts: of NELL's.
        concept_size: channels of a concept.

    Raises:
        ValueError: no such activation, or heads that do not divide the hidden size.
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
    )
    words, beliefs = (wn_vocab_size, wn_concepts), (nell_vocab_size, nell_concepts)
    return KtNet(sizes, words, beliefs, concept_size)
