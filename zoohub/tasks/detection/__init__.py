"""Objects found in pictures, each with its box."""
