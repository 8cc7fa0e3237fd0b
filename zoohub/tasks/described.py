"""What a task says of itself, as data: what it is called, its figures, what it asks of its data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.tasks.parts import Curve, Document, Figure


class Described:
    """The half of `Task` that lists, pages and commands read; what has no value here has none that
    would do for most tasks."""

    serves: tuple[str, ...]  # the index's task names; the first names results of its own
    shares: tuple[str, ...] = ()  # names that another serves, of whose networks it `claims` some
    kind: str = "picture"  # of the input contract: a folder of `zoohub.inputs`
    asked = False  # whether its inputs may be a question and the text that answers it
    title: str  # what one does with it: "classify pictures"
    figures: tuple[Figure, ...]  # the first heads lists and pages
    published: tuple[str, ...]  # those an index states, in percent
    headline: tuple[str, ...]  # said at the end of a run, the first after each epoch
    best: tuple[str, ...]  # decides which epoch is best; later ones where the first are equal
    instead: Mapping[str, str] = MappingProxyType({})  # what counts for a figure where measured
    epoch_figures: tuple[str, ...]  # of the validation part, kept for each epoch
    freezes = False  # whether a head can be trained on features that are kept
    headless = False  # whether it asks a network's body alone: any head's file will do
    has_classes = True  # whether its networks tell classes apart, which the data has too
    sample = "picture"  # what one of its samples is called
    unnamed = False  # whether its recipes say no `task`
    options: type  # of predict: a frozen dataclass
    learns_from: str  # what data is to be, in a sentence
    expected: str  # the same as things on a disk
    streams = False  # whether its options have `on_text`, told a result's pieces as they come
    drawings: str | None = None  # what `--save` draws; None: nothing
    drawing_suffix: str | None = None  # of its files; None: as the input's
    formats: tuple[str, ...] = ()  # other programs' forms that its results can take
    documents: Mapping[str, Document] = MappingProxyType({})  # files of other programs, by option
    builds_on: tuple[str, ...] = ()  # the folders of tasks that this one imports from
    counts_left_out = False  # say how many samples were left out rather than each
    forgotten: tuple[str, ...] = ()  # figures that a run does not keep
    measuring_batch = 64  # samples at a time, after an epoch
    curve: ClassVar[Curve]
    split_title: str  # the column of a run's `split.csv` beside path and split

    @property
    def name(self) -> str:
        """The index's name of the task."""
        return self.serves[0]

    @property
    def samples(self) -> str:
        """What its samples are called."""
        return f"{self.sample}s"

    def claims(self, network: NetworkSpec) -> bool:
        """Whether this task is what a network does that the index files under one of `shares`."""
        return False

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That the task is what this network does, where the index has one name for several; with
        its contract for `training`: that it can learn.

        Raises:
            DataError: it is not. RecipeError: it cannot.
        """

    def network_for(self, network: NetworkSpec) -> NetworkSpec:
        """What the task takes of a network: itself, or its body under a head of the task's own,
        which is trained, or without any (`headless`)."""
        return network

    def figure(self, key: str) -> Figure:
        """The figure of that key."""
        return next(figure for figure in self.figures if figure.key == key)
