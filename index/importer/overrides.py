"""`index/overrides.yaml`: what people decided where the published facts mislead or say nothing."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoohub.core.yaml_reader import read_yaml
from zoohub.manifest.family import merge

# fmt: off
KEYS = frozenset((
    "models", "uids", "urls", "families", "model_families", "family_defaults", "tasks", "datasets",
    "doubtful", "defaults", "usual", "published", "aliases", "pages", "details", "checkpoints",
    "comments",
))
# fmt: on


@dataclass(frozen=True)
class Overrides:
    """Parsed overrides; every key is explained in the file itself."""

    models: Mapping[str, str] = field(default_factory=dict)
    uids: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    model_families: Mapping[str, str] = field(default_factory=dict)
    doubtful: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str | None] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, list[str]] = field(default_factory=dict)
    family_defaults: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    checkpoints: tuple[Mapping[str, Any], ...] = ()
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str, publisher: str) -> str:
        """The model that a publisher's canonical name means; `publisher/name` goes first."""
        return self.models.get(f"{publisher}/{name}") or self.models.get(name, name)

    def usual_dataset(self, model: str) -> str | None:
        """The dataset that ids of the model leave out."""
        return self.usual.get(model)

    def patch(self, traits: Mapping[str, str | None]) -> dict[str, Any]:
        """What `checkpoints:` sets for a checkpoint with these traits; later rules win."""
        result: dict[str, Any] = {}
        for rule in self.checkpoints:
            if all(_fits(traits.get(key), wanted) for key, wanted in rule["match"].items()):
                result = merge(result, rule["set"])
        return result


def _fits(value: str | None, wanted: object) -> bool:
    patterns = wanted if isinstance(wanted, list) else [wanted]
    return any(
        value is None if pattern is None else fnmatch.fnmatchcase(value or "", str(pattern))
        for pattern in patterns
    )


def read_overrides(file: Path) -> Overrides:
    """Read the overrides; an empty set where there is no file. Raises ManifestError."""
    if not file.is_file():
        return Overrides()
    document = read_yaml(file)
    value = document.value or {}
    if not isinstance(value, dict):
        raise document.error((), "must be a mapping")
    for key in value:
        if key not in KEYS:
            raise document.error((key,), f"unknown key {key!r}; known: {', '.join(sorted(KEYS))}")
    for number, rule in enumerate(value.get("checkpoints") or ()):
        if not isinstance(rule, dict) or set(rule) != {"match", "set"}:
            raise document.error(("checkpoints", number), "a rule has `match` and `set`")
    fields = {key: item for key, item in value.items() if item}
    fields["checkpoints"] = tuple(fields.get("checkpoints", ()))
    return Overrides(**fields)
