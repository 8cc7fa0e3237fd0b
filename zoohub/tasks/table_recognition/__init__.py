"""The structure of tables in pictures."""

# What the index calls its networks.
SERVES = ("table-recognition",)
