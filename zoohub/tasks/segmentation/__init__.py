"""Each pixel's class."""

# What the index calls its networks.
SERVES = ("semantic-segmentation", "salient-object-detection")
# Its loss fits all of them.
HAS_LOSS = True
