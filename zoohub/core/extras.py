"""Libraries that come with an extra: imported where they are needed, or said how to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from zoohub.errors import ZoohubError


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """The module, which `pip install 'zoohub[extra]'` brings; `purpose` begins the sentence that is
    said without it.

    Raises:
        ZoohubError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ZoohubError(
            f"{purpose} needs {module} ({error}): pip install 'zoohub[{extra}]'"
        ) from None
