"""Where text is in a picture."""

# What the index calls its networks.
SERVES = ("scene-text-detection",)
