"""Pictures of a line of text, and what it says."""
