"""Each pixel's class."""
