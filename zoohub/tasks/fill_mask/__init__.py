"""Words left out of a text."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = ("fill-mask",)
SHARES = ("natural-language-understanding",)
