"""What a picture is of."""

# What the index calls its networks.
SERVES = ("image-classification", "text-direction-classification")
