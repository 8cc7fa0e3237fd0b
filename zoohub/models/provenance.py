"""What travels with a network or a checkpoint: where it comes from and how its input is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.errors import DataError, UsageError
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.models.watching import Watch, for_channels

if TYPE_CHECKING:
    from zoohub.checkpoint import LoadReport
    from zoohub.inputs.picture import Transform
    from zoohub.store import Store


class Provenance:
    """`net.zoohub`: the index's entry, the checkpoint, its input and classes, the load's report.

    `checkpoint` and `path` are None where the weights are the user's own or random. `input` and
    `classes` follow the network as it is: with another head put into it `classes` is None, since
    nobody has said what its outputs are called, and with another first convolution `input` has its
    channels. `network` is the definition that it was built from; None where it is a finished graph.
    """

    __slots__ = ("_classes", "_input", "_watch", "checkpoint", "entry", "network", "path", "report")

    def __init__(
        self,
        entry: Entry,
        checkpoint: Checkpoint | None,
        input: InputContract | None,
        classes: tuple[str, ...] | None,
        path: Path | None,
        report: LoadReport | None,
        network: NetworkSpec | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.entry = entry
        self.checkpoint = checkpoint
        self.path = path
        self.report = report
        self.network = network
        self._input, self._classes, self._watch = input, classes, watch

    @property
    def input(self) -> InputContract | None:
        """How the network's input is made; None where nobody says."""
        if self._input is None or self._watch is None:
            return self._input
        return for_channels(self._input, self._watch.channels)

    @property
    def knows_stem(self) -> bool:
        """Whether `input` follows the network's first convolution."""
        return self._watch is not None and self._watch.knows_stem

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The outputs' names; None where they have none."""
        return self._classes if self._watch is None or self._watch.same_head else None

    def __reduce__(self) -> tuple[object, ...]:
        """A pickle or a copy says what is so now."""
        facts = (self.entry, self.checkpoint, self.input, self.classes, self.path, self.report)
        return Provenance, (*facts, self.network)

    def __repr__(self) -> str:
        what = self.checkpoint.reference if self.checkpoint else self.entry.model
        return f"Provenance({what!r}, path={str(self.path) if self.path else None!r})"


@dataclass(frozen=True)
class PublishedWeights:
    """A checkpoint's facts with the preprocessing bound to them (`zoohub.get_weights`)."""

    reference: str
    sources: tuple[str, ...]
    sha256: str | None
    declared: str
    recorded: str | None
    size: int | None
    format: str
    classes: tuple[str, ...] | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    input: InputContract | None = None

    def transforms(self) -> Transform:
        """The callable that turns a picture into this checkpoint's input.

        Raises:
            DataError: the publisher says nothing of the input.
            UsageError: it reads text.
        """
        return transform_for(self.reference, self.input)


def published_weights(checkpoint: Checkpoint, store: Store) -> PublishedWeights:
    """Bind a checkpoint's facts to its preprocessing."""
    return PublishedWeights(
        reference=checkpoint.reference,
        sources=checkpoint.sources,
        sha256=checkpoint.sha256,
        declared=checkpoint.declared,
        recorded=recorded_hash(store, checkpoint),
        size=checkpoint.size,
        format=checkpoint.format,
        classes=class_names_of(checkpoint),
        metrics=checkpoint.metrics,
        input=checkpoint.input,
    )


def recorded_hash(store: Store, checkpoint: Checkpoint) -> str | None:
    """The full hash of the first download, if there was one."""
    ref = store.recorded(checkpoint)
    return None if ref is None else ref.sha256


def class_names_of(checkpoint: Checkpoint) -> tuple[str, ...] | None:
    """The names of the checkpoint's outputs, None where they are not known."""
    if checkpoint.class_names is not None:
        return checkpoint.class_names
    if checkpoint.classes is None:
        return None
    from zoohub.models.class_names import class_names

    return tuple(class_names(checkpoint.classes))


def transform_for(reference: str, contract: InputContract | None) -> Transform:
    """The transform of an input contract.

    Raises:
        DataError: there is no contract. UsageError: it is one of text.
    """
    if contract is None:
        raise DataError(
            f"the index does not know how the input of {reference} is made; see its publisher's "
            "code, or write the contract into an index of your own (ZOOHUB_INDEX)"
        )
    if contract.text is not None:
        raise UsageError(
            f"{reference} reads text, and no transform of pictures leads there: "
            f"zoohub.predict({reference!r}, texts) makes its token ids itself"
        )
    from zoohub.inputs.picture import Transform

    return Transform(contract)
