"""TextCNN, a sentence classifier.

Source: Kim, "Convolutional Neural Networks for Sentence Classification" (2014). Parameter names
are those of the models repository (official/nlp/textcnn).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops


class TextCNN(nn.Cell):
    """ids int32 (B, L) -> logits (B, num_classes). Arguments are those of `textcnn`."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        channels: int,
        kernels: Sequence[int],
        num_classes: int,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        short, middle, long = (_layer(channels, words, embed_dim) for words in kernels)
        self.layer1 = short
        self.layer2 = middle
        self.layer3 = long
        self.drop = nn.Dropout(p=0.5)
        self.fc = nn.Dense(len(kernels) * channels, num_classes)

    def construct(self, ids: Tensor) -> Tensor:
        x = ops.expand_dims(self.embedding(ids), 1)
        maps = (self.layer1(x), self.layer2(x), self.layer3(x))
        found = ops.concat([ops.amax(features, (2, 3)) for features in maps], 1)
        return self.fc(self.drop(found))


def _layer(channels: int, words: int, embed_dim: int) -> nn.SequentialCell:
    """Each run of `words` words: (B, 1, L, embed_dim) -> (B, channels, L - words + 3, 3).

    A border of one zero is put around words and their channels alike, as the weights were trained.
    """
    kernel = (words, embed_dim)
    conv = nn.Conv2d(1, channels, kernel, pad_mode="pad", padding=1, has_bias=True)
    return nn.SequentialCell(conv, nn.ReLU())


def textcnn(
    vocab_size: int = 18848,
    embed_dim: int = 40,
    channels: int = 96,
    kernels: Sequence[int] = (3, 4, 5),
    num_classes: int = 2,
) -> TextCNN:
    """TextCNN: ids int32 (B, L), L at least the longest kernel less 2 -> logits (B, num_classes).

    Args:
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word.
        channels: features of each kernel.
        kernels: words that each of the three kernels sees.
        num_classes: outputs of the classifier.

    Raises:
        ValueError: not three kernels.
    """
    if len(kernels) != 3:
        raise ValueError(f"kernels are three lengths in words, not {list(kernels)}")
    return TextCNN(vocab_size, embed_dim, channels, kernels, num_classes)
