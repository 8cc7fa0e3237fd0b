"""What a text is about, or its mood."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = (
    "text-classification",
    "emotion-classification",
    "sentiment-analysis",
    "natural-language-understanding",
)
SHARES = ("dialogue", "question-answering", "named-entity-recognition")
