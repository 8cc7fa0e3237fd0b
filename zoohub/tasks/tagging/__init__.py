"""What the words of a text are: names of people, of places."""
