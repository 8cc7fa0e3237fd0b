"""The vocabulary of a network that comes with the package lies beside its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from zoohub.core.paths import local_path
from zoohub.errors import DataError
from zoohub.manifest.entry import TextContract


@contextmanager
def vocabulary_file(contract: TextContract, given: str | None) -> Iterator[Path | None]:
    """The file that cuts text, to be read at once: the one given, or else the one that comes with
    the package, which a contract names as `embedded:NAME`; None where there is neither.

    Raises:
        DataError: the package carries no such file.
    """
    if given is not None:
        yield Path(local_path(given))
        return
    name = contract.shipped_vocabulary
    if name is None:
        yield None
        return
    resource = files("zoohub") / "_data" / "embedded" / name
    if not name or any(letter in name for letter in "/\\:\0") or not resource.is_file():
        raise DataError(f"zoohub carries no vocabulary {name!r}; give one as --vocab FILE (vocab=)")
    with as_file(resource) as path:
        yield path
