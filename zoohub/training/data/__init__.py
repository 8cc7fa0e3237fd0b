"""Where training pictures come from, how they are split, changed and put into batches."""
