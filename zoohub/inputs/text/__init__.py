"""Text as networks take it: read, cut into tokens, filled up to one length, by the contract."""

from zoohub.inputs.text.padding import padded
from zoohub.inputs.text.sentence import Question, Sentence, Text
from zoohub.inputs.text.vocabulary import Vocabulary, read_vocabulary

__all__ = ["Question", "Sentence", "Text", "Vocabulary", "padded", "read_vocabulary"]
