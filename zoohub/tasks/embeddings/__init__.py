"""Texts as vectors."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = ("text-embedding",)
SHARES = ("natural-language-understanding",)
