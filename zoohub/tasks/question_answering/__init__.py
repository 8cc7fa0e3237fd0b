"""Answers that stand in a text."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = ("question-answering",)
SHARES = ("natural-language-understanding", "named-entity-recognition")
