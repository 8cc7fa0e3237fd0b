"""Pictures of a line of text, and what it says."""

# What the index calls its networks.
SERVES = ("scene-text-recognition",)
