"""What a picture is of."""

# What the index calls its networks.
SERVES = ("image-classification", "text-direction-classification")
# Its loss fits all of them.
HAS_LOSS = True
