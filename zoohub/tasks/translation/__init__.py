"""A sentence in another language."""

# What the index calls its networks.
SERVES = ("machine-translation",)
