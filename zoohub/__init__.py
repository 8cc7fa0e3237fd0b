"""zoohub: the model zoo of MindSpore."""

from zoohub._version import __version__

__all__ = ["__version__"]
