"""Where text is in a picture."""
