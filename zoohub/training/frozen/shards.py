"""Features in files of a thousand rows each: whole or absent, and checked when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from zoohub.core.atomic import replacing
from zoohub.core.hashing import hash_file
from zoohub.core.json_reader import parse_own
from zoohub.running import Array
from zoohub.training.run_folder import explained

ROWS = 1024  # in a file


@dataclass(frozen=True)
class Shard:
    """Rows of features, in order.

    Attributes:
        features: (rows, …) float32; zeros where there is none.
        labels: the class of each row's sample, which may be another sample than the row's own.
        errors: why there is no feature, by the row's number in the shard.
        failed: the reasons by name of what could not be read meanwhile.
    """

    features: Array
    labels: Sequence[int]
    errors: Mapping[int, str]
    failed: Mapping[str, str]


def shard_key(facts: Mapping[str, object]) -> str:
    """A key that changes with any of these (JSON-ready) facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=list).encode()).hexdigest()


def write_shard(folder: Path, name: str, key: str, shard: Shard) -> None:
    """Write a shard into a run's folder; what says that it is there comes last.

    Raises:
        NoSpaceError, StoreError: it cannot be written.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").unlink(missing_ok=True)
        with replacing(folder / f"{name}.npy") as file:
            np.lib.format.write_array(file, shard.features)  # type: ignore[no-untyped-call]
        said = {k: v for k, v in asdict(shard).items() if k != "features"}
        said["errors"] = {str(number): reason for number, reason in shard.errors.items()}
        said |= {"key": key, "sha256": hash_file(folder / f"{name}.npy").sha256}
        said["own"] = shard_key(said)  # labels that changed would be learnt
        with replacing(folder / f"{name}.json") as file:
            file.write(json.dumps(said).encode())


def read_shard(folder: Path, name: str, key: str) -> Shard | None:
    """The shard of that key, its features mapped; None where there is none, it was made of other
    things, or was damaged."""
    try:
        said = parse_own((folder / f"{name}.json").read_bytes())
        whole = said.pop("own") == shard_key(said)
        if not whole or said["key"] != key:
            return None
        if hash_file(folder / f"{name}.npy").sha256 != said["sha256"]:
            return None
        features = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        errors = {int(number): str(reason) for number, reason in said["errors"].items()}
        return Shard(features, [int(x) for x in said["labels"]], errors, dict(said["failed"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
