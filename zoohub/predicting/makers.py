"""Who made a file of results: beside the file, so that another model or other options do not go on
with it unnoticed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from zoohub.core.atomic import replacing
from zoohub.core.hashing import hash_file
from zoohub.core.json_reader import parse_own
from zoohub.core.paths import local_path
from zoohub.errors import DataError, ZoohubError
from zoohub.models.subjects import Subject, find_subject
from zoohub.settings import Settings

_SUFFIX = ".made-by.json"


@dataclass(frozen=True)
class Maker:
    """What results depend on: the model as it was named, the SHA-256 of its weights (None: not
    known), and what was asked of it."""

    model: str
    weights: str | None
    options: Mapping[str, object]

    def same_as(self, other: Maker) -> bool:
        """Whether both give the same results: names may differ where the weights are the same."""
        if self.weights is None or other.weights is None:
            return self.model == other.model and self.options == other.options
        return self.weights == other.weights and self.options == other.options

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in sorted(self.options.items()))
        weights = f", weights {self.weights[:12]}" if self.weights else ""
        return f"{self.model} ({told or 'no options'}{weights})"


def find_maker(
    name: str,
    checkpoint: Path | None,
    options: Mapping[str, object],
    settings: Settings,
    steps: Mapping[str, str] | None = None,
) -> Maker:
    """The maker that a model's name stands for, with weights of one's own where `checkpoint` is
    given. `options` that are None are left out; a vocabulary is known by what is in it, and so are
    a pipeline's `steps`."""
    given: dict[str, object] = {key: value for key, value in options.items() if value is not None}
    with contextlib.suppress(OSError):  # who reads it says what is wrong
        if isinstance(vocab := given.get("vocab"), str):
            given["vocab"] = f"sha256:{hash_file(local_path(vocab)).sha256}"
    if steps:
        own = {step: find_maker(network, None, {}, settings) for step, network in steps.items()}
        given["steps"] = {step: made.weights or made.model for step, made in own.items()}
        return Maker(name, None, parse_own(json.dumps(given, default=str)))
    weights: str | None = None
    with contextlib.suppress(ZoohubError, OSError):  # what opens the model says what is wrong
        file = checkpoint or local_path(name)
        if file.is_file():
            weights = hash_file(file).sha256
        subject = None if weights and not checkpoint else find_subject(name, settings)
        if subject is not None and checkpoint is not None:
            given["network"] = _network(subject)
        elif subject is not None:
            weights = subject.weights_hash(settings, show_progress=True)
    return Maker(name, weights, parse_own(json.dumps(given, default=str)))


def check_maker(path: Path, maker: Maker) -> None:
    """See that a file of results which is to be gone on with was made by the same; files that do
    not say it pass.

    Raises:
        DataError: it was made by another.
    """
    try:
        said = parse_own(_beside(path).read_bytes())
        before = Maker(str(said["model"]), said["weights"], dict(said["options"]))
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not before.same_as(maker):
        raise DataError(
            f"{path} holds the results of {before}, not of {maker}: --resume goes on with the same "
            "model and options; write these into another file"
        )


def write_maker(path: Path, maker: Maker) -> None:
    """Say beside a file of results who makes it.

    Raises:
        DataError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(_beside(path)) as file:
            file.write((json.dumps(asdict(maker)) + "\n").encode())
    except OSError as error:
        raise DataError(f"{_beside(path)} cannot be written: {error.strerror or error}") from None


def _network(subject: Subject) -> str:
    """What tells one network and its input from others', into which the same weights may go."""
    spec = subject.network
    facts = [spec.builder, dict(spec.arguments), spec.head, spec.stem, asdict(subject.input)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=list).encode())
    return f"{spec.builder} {digest.hexdigest()[:8]}"


def _beside(path: Path) -> Path:
    return path.with_name(path.name + _SUFFIX)
