"""What a path given by a user means: one rule for Python, the command line and settings."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from zoohub.errors import UsageError


def local_path(given: str | os.PathLike[str]) -> Path:
    """The file or folder a user names: `~` and `~name` are home folders, relative is from here.

    The result is absolute, so that it keeps its meaning when the working folder changes.

    Raises:
        UsageError: it is no path at all, too long for one, or the home folder of `~name` is not
            known.
    """
    return expanded(given).absolute()


def expanded(given: str | os.PathLike[str]) -> Path:
    """As `local_path`, but a relative path stays one: for what is told to the user again."""
    try:
        text = os.fspath(given)
        if not isinstance(text, str) or not text or "\x00" in text:
            raise TypeError
        path = Path(text).expanduser()
    except (TypeError, RuntimeError):
        raise UsageError(f"{given!r} is no path of a file or folder") from None
    if _is_too_long(path):
        raise UsageError(f"{path}: the system has no room for so long a name; give a shorter one")
    return path


def _is_too_long(path: Path) -> bool:
    """Whether the system takes no such name: `Path.is_file` and its kind would raise it later."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    except ValueError:  # half characters: there is no such file
        return False
    return False


def name_or_path(given: object) -> str:
    """A model's name as text; a `Path` is always a path, though `Path("./x")` lost its look.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(given, str) and given:
        return given
    if isinstance(given, os.PathLike):
        return str(local_path(given))
    raise UsageError(f"{given!r} is neither a model's name nor the path of a run's folder")


def model_name(given: object) -> str:
    """A model's name.

    Raises:
        UsageError: it is no text.
    """
    if isinstance(given, str) and given:
        return given
    raise UsageError(f"name={given!r}: a model's name is needed, such as 'resnet50'")
