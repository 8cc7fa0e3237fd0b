"""Texts as vectors."""

# What the index calls its networks; and whose it shares with other tasks: wherever text encoders
# are filed, as what is under their heads makes vectors.
SERVES = ("text-embedding",)
SHARES = (
    "natural-language-understanding",
    "text-classification",
    "emotion-classification",
    "sentiment-analysis",
    "dialogue",
    "question-answering",
    "named-entity-recognition",
)
