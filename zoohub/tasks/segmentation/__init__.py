"""Each pixel's class."""

# What the index calls its networks.
SERVES = ("semantic-segmentation", "salient-object-detection")
