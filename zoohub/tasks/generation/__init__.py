"""A text, or token ids, and how they go on."""
