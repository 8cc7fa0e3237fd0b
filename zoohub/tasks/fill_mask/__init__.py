"""Words left out of a text."""
