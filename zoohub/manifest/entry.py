"""What the index says of a model: frozen, free of MindSpore, the same for every reader.

Unknown is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from zoohub.core.elements import element, facts
from zoohub.manifest.cards import MOST_ROWS, figures, megabytes, rows_of
from zoohub.manifest.contracts import (
    NESTED_CONTRACTS,
    OPEN_RESIZES,
    SHIPPED,
    BoxContract,
    InputContract,
    LineContract,
    RegionContract,
    Resize,
    Suppression,
    TextContract,
)
from zoohub.manifest.tasks import leading

__all__ = [
    "NESTED_CONTRACTS",
    "OPEN_RESIZES",
    "SHIPPED",
    "BoxContract",
    "Checkpoint",
    "Declared",
    "Entries",
    "Entry",
    "InputContract",
    "LineContract",
    "NetworkSpec",
    "Record",
    "RegionContract",
    "Resize",
    "Suppression",
    "TextContract",
]

Declared = Literal["sha256", "prefix", "none", "doubtful"]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Which network definition a checkpoint's parameters belong to.

    `builder` names a family (a folder of `zoohub.networks`), `arguments` are given to its builder,
    and `parameters` names the layout (naming scheme) the file's parameters follow. `head` and
    `stem` are the network's own names of the classifier and the first convolution where they are
    not the family's: dotted prefixes, with spaces between several.
    """

    builder: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parameters: str | None = None
    head: str | None = None
    stem: str | None = None

    def with_arguments(self, arguments: Mapping[str, object]) -> NetworkSpec:
        """The same with these arguments, in the place of its own where it has them."""
        return replace(self, arguments={**self.arguments, **arguments})


@dataclass(frozen=True, slots=True)
class Record:
    """One published appearance of a checkpoint."""

    uid: str
    url: str
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    mindspore: str | None = None
    repository: str | None = None
    ref: str | None = None
    path: str | None = None
    publisher: str | None = None
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One content: one set of bytes, published under one or more URLs.

    `declared` says how strong the publisher's hash is; `sha256` is the full hash or None (also
    None where the hash is doubtful: then `doubtful_sha256` keeps what was declared, for display
    only). `sha256_prefix` is a published fragment of 7 to 9 hex digits. `size` is in bytes.
    `classes` names a data set whose class names zoohub has, or the lists of characters and single
    classes they are made up of (`<blank> chinese <space>`); `class_names` are the outputs' own
    names in their order, as a fine-tuned model has them, and win over `classes`.
    """

    model: str
    id: str
    format: str
    sources: tuple[str, ...]
    declared: Declared
    sha256: str | None = None
    sha256_prefix: str | None = None
    doubtful_sha256: str | None = None
    size: int | None = None
    aliases: tuple[str, ...] = ()
    network: NetworkSpec | None = None
    input: InputContract | None = None
    classes: str | None = None
    class_names: tuple[str, ...] | None = None
    task: str | None = None
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    licence: str | None = None
    dataset_terms: str | None = None
    mindspore: str | None = None
    hardware: str | None = None
    verified: tuple[str, ...] = ()
    fine_tunable: bool | None = None
    note: str | None = None
    records: tuple[Record, ...] = ()

    @property
    def reference(self) -> str:
        """`MODEL@ID`, the checkpoint's full name."""
        return f"{self.model}@{self.id}"

    def _repr_html_(self) -> str:
        known = {
            "format": self.format,
            "size": megabytes(self.size),
            "dataset": self.dataset,
            "metrics": figures(self.metrics),
            "sha256": self.sha256 or self.sha256_prefix,
            "hash": self.declared,
            "licence": self.licence,
            "dataset terms": self.dataset_terms,
            "trained with": self.mindspore and f"MindSpore {self.mindspore}",
            "hardware": self.hardware,
            "note": self.note,
        }
        sources = {f"source {n}": url for n, url in enumerate(self.sources, 1)}
        return facts({**known, **sources}, self.reference)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model: an architecture variant with its checkpoints.

    `default` is the id of the default checkpoint (None where none is published);
    `family_default` says whether the family's name means this model. `parameter_count` counts
    single weights; `flops` are multiply-adds for one input, as the publisher states them. An entry
    with `steps` is a pipeline: it has no file of its own, but references of its steps' networks,
    by the steps' names and in their order.
    """

    model: str
    family: str
    task: str
    default: str | None
    family_default: bool = False
    aliases: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    network: NetworkSpec | None = None
    input: InputContract | None = None
    description: str | None = None
    paper: str | None = None
    parameter_count: int | None = None
    flops: float | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    index: str = "built-in"

    def checkpoint(self, id: str | None = None) -> Checkpoint | None:
        """The checkpoint of that id, or the default one; None where there is none."""
        wanted = id or self.default
        return next((c for c in self.checkpoints if c.id == wanted), None)

    def network_of(self, checkpoint: Checkpoint | None) -> NetworkSpec | None:
        """The network of one of its checkpoints: that one's own, else the model's."""
        return (checkpoint.network if checkpoint else None) or self.network

    def input_of(self, checkpoint: Checkpoint | None) -> InputContract | None:
        """The input of one of its checkpoints: that one's own, else the model's."""
        return (checkpoint.input if checkpoint else None) or self.input

    @property
    def metrics(self) -> Mapping[str, float]:
        """The default checkpoint's metrics."""
        default = self.checkpoint()
        return default.metrics if default else {}

    @property
    def licence(self) -> str | None:
        """The default checkpoint's licence."""
        default = self.checkpoint()
        return default.licence if default else None

    def _repr_html_(self) -> str:
        known = {
            "task": self.task,
            "family": self.family,
            "description": self.description,
            "parameters": f"{self.parameter_count:,}" if self.parameter_count else None,
            "paper": self.paper,
            "aliases": ", ".join(self.aliases),
            "steps": ", ".join(f"{step}: {name}" for step, name in self.steps.items()),
            "index": None if self.index == "built-in" else self.index,
        }
        header = ("checkpoint", "format", "dataset", "metrics", "size", "hash", "licence")
        rows = [
            (
                f"{c.id} (default)" if c.id == self.default else c.id,
                c.format,
                c.dataset,
                figures(c.metrics),
                megabytes(c.size),
                c.declared,
                c.licence,
            )
            for c in self.checkpoints[:MOST_ROWS]
        ]
        return element(
            "div", facts(known, self.model), *rows_of(header, rows, len(self.checkpoints))
        )


class Entries(list[Entry]):
    """A list of entries that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        header = ("model", "task", "metric", "checkpoints", "description")
        rows = []
        for entry in self[:MOST_ROWS]:
            best = leading(entry.metrics)
            metric = f"{best[0]} {best[1]:g}" if best else ""
            rows.append(
                (entry.model, entry.task, metric, len(entry.checkpoints), entry.description)
            )
        return element("div", *rows_of(header, rows, len(self)))
