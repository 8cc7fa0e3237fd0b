"""Reading pages: text is found, turned upright where it is not, read, and put in order."""
