"""A text, or token ids, and how they go on."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = ("language-model",)
SHARES = ("natural-language-understanding",)
