"""What the words of a text are: names of people, of places."""

# What the index calls its networks; and whose it shares with other tasks.
SERVES = ("named-entity-recognition",)
SHARES = ("natural-language-understanding", "question-answering")
