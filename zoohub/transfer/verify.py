"""Hash published files again, and repair those that are damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store import Store, TransferPolicy
from zoohub.store.maintenance import Item
from zoohub.transfer.fetch import fetch
from zoohub.transfer.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a file still is what its name promises; if not, it is in quarantine now."""

    item: Item
    intact: bool


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired file, and how many bytes had to be fetched for it."""

    item: Item
    path: Path
    fetched: int


def verify(store: Store, items: Sequence[Item], *, jobs: int = 2) -> Iterator[Checked]:
    """Hash files, `jobs` at a time; yields results in order."""
    with ThreadPoolExecutor(jobs, thread_name_prefix="zoohub-verify") as executor:
        intact = executor.map(lambda item: store.check(item.path, verify=True), items)
        for item, right in zip(items, intact, strict=True):
            yield Checked(item, right)


def repair(
    item: Item,
    settings: Settings,
    *,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
) -> Repaired:
    """Fetch the damaged pieces of a file that `verify` found damaged, and publish it again.

    `checkpoint` is what the index says of it; without one the URL that once gave it is asked.

    Raises:
        DownloadError: as `fetch` does.
    """
    counter = _Counter(progress or Silent())
    wanted = checkpoint or Checkpoint(
        model=item.names[0].partition("@")[0] if item.names else item.sha256[:12],
        id=item.names[0].partition("@")[2] if item.names else "file",
        format="".join(item.path.name[64:]).lstrip("."),
        sources=(item.source,) if item.source else (),
        declared="sha256",
    )
    # The published name is a full hash, whatever the publisher declared.
    wanted = replace(wanted, declared="sha256", sha256=item.sha256)
    path = fetch(wanted, settings, progress=counter, policy=policy)
    return Repaired(item, path, counter.fetched)


class _Counter:
    """Counts the bytes that come."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.fetched = 0

    def start(self, name: str, total: int | None, already: int) -> None:
        self._progress.start(name, total, already)

    def advance(self, count: int) -> None:
        self.fetched += max(count, 0)
        self._progress.advance(count)

    def message(self, text: str) -> None:
        self._progress.message(text)

    def finish(self) -> None:
        self._progress.finish()
