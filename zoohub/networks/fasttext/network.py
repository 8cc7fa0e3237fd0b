"""fastText, a classifier of bags of words and word pairs.

Source: Joulin et al., "Bag of Tricks for Efficient Text Classification" (2016). Parameter names
are those of the models repository (official/nlp/fasttext), its misspelling included.
"""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import XavierUniform


class FastText(nn.Cell):
    """ids int32 (B, L), lengths (B, 1) -> logits (B, num_classes).

    The sum runs over all L ids, padding (id 0) included, as the weights were trained.
    """

    def __init__(self, vocab_size: int, embed_dim: int, num_classes: int) -> None:
        super().__init__()
        self.embeding_func = nn.Embedding(vocab_size, embed_dim)
        self.fc = nn.Dense(embed_dim, num_classes, weight_init=XavierUniform())

    def construct(self, ids: Tensor, lengths: Tensor) -> Tensor:
        total = self.embeding_func(ids).sum(1)
        return self.fc(total / lengths.astype(total.dtype))


def fasttext(vocab_size: int = 1383812, embed_dim: int = 16, num_classes: int = 4) -> FastText:
    """fastText: ids int32 (B, L), their number int32 (B, 1) -> logits (B, num_classes).

    Args:
        vocab_size: words and hashed pairs of words: 1383812 (AG's news), 6596536 (DBpedia),
            6414979 (Yelp polarity).
        embed_dim: channels of a word.
        num_classes: outputs of the classifier: 4, 14, 2.
    """
    return FastText(vocab_size, embed_dim, num_classes)
