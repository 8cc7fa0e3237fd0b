"""Objects found in pictures, each with its box."""

# What the index calls its networks.
SERVES = ("object-detection",)
