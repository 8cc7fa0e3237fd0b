"""The vocabulary of a network that comes with the package lies beside its checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import as_file, files
from pathlib import Path

from zoohub.core.paths import local_path
from zoohub.errors import DataError
from zoohub.manifest.entry import SHIPPED, TextContract


@contextmanager
def vocabulary_file(
    contract: TextContract, given: str | os.PathLike[str] | None
) -> Iterator[Path | None]:
    """The file that cuts text, to be read at once: the one given, or else the one that comes with
    the package; None where there is neither. Raises as `named_vocabulary`."""
    name: str | os.PathLike[str] | None = given
    if name is None and contract.shipped_vocabulary is not None:
        name = contract.vocabulary
    with nullcontext() if name is None else named_vocabulary(name) as path:
        yield path


@contextmanager
def named_vocabulary(name: str | os.PathLike[str]) -> Iterator[Path]:
    """The file of that name, to be read at once; `embedded:NAME` is one that comes with the
    package, as a contract or a recipe names it.

    Raises:
        DataError: the package carries no such file.
    """
    if not isinstance(name, str) or not name.startswith(f"{SHIPPED}:"):
        yield local_path(name)
        return
    inside = name.removeprefix(f"{SHIPPED}:")
    resource = files("zoohub") / "_data" / "embedded" / inside
    if not inside or any(letter in inside for letter in "/\\:\0") or not resource.is_file():
        raise DataError(
            f"zoohub carries no vocabulary {inside!r}; give one as --vocab FILE (vocab=)"
        )
    with as_file(resource) as path:
        yield path
