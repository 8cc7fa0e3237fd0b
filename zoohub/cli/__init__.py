"""The command line. As soon as it is known to be what runs, Ctrl-C is its own to handle."""

import sys

# The console script, or `python -m zoohub`: importing the rest takes a moment, too.
if (
    (sys.argv[:1] or [""])[0]
    .replace("\\", "/")
    .endswith(("/zoohub", "/zoohub.exe", "/zoohub-script.py", "/zoohub/__main__.py"))
):
    from zoohub.cli.interrupt import install

    install()
