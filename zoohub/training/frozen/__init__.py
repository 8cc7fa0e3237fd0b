"""`freeze: backbone`: what a network gives beneath its head is computed once, and trained on."""
