"""`python -m zoohub`: the command line."""

from zoohub.cli.main import entry_point

entry_point()
