"""Reading pages: text is found, turned upright where it is not, read, and put in order."""

# What the index calls its networks.
SERVES = ("optical-character-recognition",)
