"""Skip-gram with negative sampling, which learns vectors of words.

Source: Mikolov et al., "Distributed Representations of Words and Phrases and their
Compositionality" (2013). Parameter names are those of the models repository (research/nlp/
skipgram). Shapes: B pairs of words, K words drawn by chance for each.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

_FAR = 10.0  # products of vectors count no further


class SkipGram(nn.Cell):
    """centers (B,), near (B,), others (B, K) -> losses (B,).

    The words' vectors are the rows of `c_emb.embedding_table`, (vocab_size, embed_dim).
    """

    def __init__(self, vocab_size: int, embed_dim: int) -> None:
        super().__init__()
        self.c_emb = nn.Embedding(vocab_size, embed_dim, embedding_table="normal")
        self.n_emb = nn.Embedding(vocab_size, embed_dim, embedding_table="zeros")

    def construct(self, centers: Tensor, near: Tensor, others: Tensor) -> Tensor:
        center = ops.expand_dims(self.c_emb(centers), 1)
        right = (center[:, 0] * self.n_emb(near)).sum(1)
        wrong = (center * self.n_emb(others)).sum(2)
        return _surprise(right) + _surprise(-wrong).sum(1)


def _surprise(product: Tensor) -> Tensor:
    """-ln sigmoid."""
    return -ops.log(ops.sigmoid(ops.clamp(product, -_FAR, _FAR)))


def skipgram(vocab_size: int = 71290, embed_dim: int = 288) -> SkipGram:
    """Skip-gram: int32 words (B,), each one near it (B,), and K by chance (B, K) -> what each pair
    costs (B,), float32, which training makes small.

    Args:
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word.
    """
    return SkipGram(vocab_size, embed_dim)
