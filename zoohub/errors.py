"""Every error zoohub raises on purpose.

    ZoohubError
    ├── UsageError             arguments that contradict each other (also a ValueError)
    ├── UnknownModel           no model of that name; names the closest
    ├── AmbiguousReference     several models fit; names the candidates
    ├── NetworkNotAvailable    the file is known, the network definition is not in zoohub
    ├── ManifestError          an index, a lock or a manifest is malformed, hostile or too new
    ├── DownloadError          a file could not be had from any of its sources
    │   ├── IntegrityError     the bytes that came are not the bytes declared
    │   ├── OfflineError       the network is off, or may not be used
    │   ├── NoSpaceError       the disk is too small
    │   └── AccessDenied       the server wants other credentials
    ├── CheckpointError        a checkpoint file cannot be used
    │   ├── CheckpointCorrupt  it is damaged, cut short or no checkpoint at all
    │   └── CheckpointMismatch its parameters are not the network's
    ├── IncompatibleMindSpore  another MindSpore version is needed
    ├── NotEnoughMemory        a network's parameters are larger than the machine's memory
    ├── RecipeError            a recipe has an unknown key, a wrong type or a wrong value
    │   └── BatchTooLarge      a worker's memory does not hold its part of the batch
    ├── DataError              an input or a data set cannot be read
    ├── ExportError            a network cannot be written in the format asked for
    ├── MirrorError            a mirror cannot be written, read or trusted
    └── StoreError             the cache folder cannot be used

A message says what happened, to what, what was expected and found, and what to do next.
"""

from __future__ import annotations

TYPE_CHECKING = False  # every command and `import zoohub` begin here, and `typing` takes a while
if TYPE_CHECKING:
    from typing import ClassVar


class ZoohubError(Exception):
    """Base of all errors above. `exit_code` is what the command line returns for it."""

    exit_code: ClassVar[int] = 1


class UsageError(ZoohubError, ValueError):
    """Arguments that contradict each other or have no meaning here."""

    exit_code: ClassVar[int] = 2


class UnknownModel(ZoohubError):
    """No model, alias or published name matches the reference."""


class AmbiguousReference(ZoohubError):
    """The reference fits several models or checkpoints, none of them the explicit default."""


class NetworkNotAvailable(ZoohubError):
    """The checkpoint can be downloaded and read, but zoohub has no network definition for it."""


class ManifestError(ZoohubError):
    """An index or lock file is malformed, hostile, or written for a newer zoohub."""


class DownloadError(ZoohubError):
    """No source gave the file."""


class IntegrityError(DownloadError):
    """The bytes differ from the declared or recorded hash or size. Nothing was published."""

    exit_code: ClassVar[int] = 4


class OfflineError(DownloadError):
    """The file is not in the store and the network is unreachable or switched off."""

    exit_code: ClassVar[int] = 5


class NoSpaceError(DownloadError):
    """The store's disk has not enough free space."""


class AccessDenied(DownloadError):
    """The server refused the request (401 or 403)."""


class CheckpointError(ZoohubError):
    """A checkpoint file cannot be used."""


class CheckpointCorrupt(CheckpointError):
    """The file is damaged, cut short, encrypted, or not a checkpoint."""

    exit_code: ClassVar[int] = 4


class CheckpointMismatch(CheckpointError):
    """Parameters are missing, unexpected or of another shape than the network's."""


class IncompatibleMindSpore(ZoohubError):
    """The checkpoint or the call needs another MindSpore version."""


class NotEnoughMemory(ZoohubError):
    """A network's parameters are larger than the memory of this machine. Nothing was fetched."""


class RecipeError(ZoohubError):
    """A recipe has an unknown key, a wrong type or a value out of range."""


class BatchTooLarge(RecipeError):
    """A worker's memory does not hold the pictures it is to compute at once."""


class DataError(ZoohubError):
    """An input file or a data set cannot be read or is inconsistent."""


class ExportError(ZoohubError):
    """A network cannot be exported in the format asked for."""


class MirrorError(ZoohubError):
    """A mirror cannot be written, read or trusted."""


class StoreError(ZoohubError):
    """The store's folder cannot be read or written."""
