"""What a model's name or a run's folder stands for, as far as it is known without MindSpore."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from zoohub.core.hashing import hash_file
from zoohub.errors import ZoohubError
from zoohub.manifest.entry import Checkpoint, InputContract, NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.models.describing import WEIGHT_FORMATS, misfit
from zoohub.models.fetching import fetch_resolved
from zoohub.models.meaning import meant, network_of
from zoohub.models.own_files import read_own_file
from zoohub.models.request import LoadRequest
from zoohub.networks.families import find_family, outputs_for
from zoohub.networks.options import NetworkOptions
from zoohub.settings import Settings
from zoohub.store import Store
from zoohub.store.compiled import hash_once


@dataclass(frozen=True)
class Subject:
    """A network with weights that can be built: its definition, its input, its classes.

    `run` is the file of a run's weights; None where the checkpoint is a published one. `own` is a
    file of weights that are put in the place of either, read as `options` say.
    """

    resolved: Resolved
    checkpoint: Checkpoint
    network: NetworkSpec
    input: InputContract
    classes: tuple[str, ...] | None
    run: Path | None
    own: Path | None = None
    options: NetworkOptions = field(default_factory=NetworkOptions)

    @property
    def task(self) -> str:
        """The index's name of the task."""
        return self.resolved.entry.task

    @property
    def name(self) -> str:
        """What to call it: the reference, or the run's folder."""
        if self.own is not None:
            return f"{self.resolved.entry.model} with {self.own.name}"
        return self.checkpoint.reference if self.run is None else self.run.parent.name

    def weights_hash(self, settings: Settings, *, show_progress: bool) -> str:
        """SHA-256 of the weights' file: of a run's or one's own as it is now; of a published one
        as it is known, and where it is not, the file is fetched.

        Raises:
            As `zoohub.download`.
        """
        file = self.own or self.run
        if file is not None:
            return hash_once(Store(settings.home), file)
        known = Store(settings.home).sha256_of(self.checkpoint)
        if known is not None:
            return known
        path = fetch_resolved(self.resolved, settings, show_progress=show_progress)
        return Store(settings.home).sha256_of(self.checkpoint) or hash_file(path).sha256


def _compilable(contract: InputContract, spec: NetworkSpec) -> bool:
    """Whether what the network takes is known: in parts, which say so; of a picture of known size;
    of texts of any length, which takes a mask, or of one known length."""
    family = find_family(spec.builder)
    if contract.text is None:
        return contract.size is not None and family.compilable
    known = len(family.inputs) > 1 or contract.text.max_length is not None
    return family.compilable and (family.parts is not None or (family.sequences and known))


def find_subject(name: str, settings: Settings) -> Subject | None:
    """What `name` stands for; None where that is no network that zoohub builds and knows the input
    of: loading it says why.

    Raises:
        UnknownModel, AmbiguousReference: the name. CheckpointCorrupt: a damaged run.
    """
    resolved, run, classes = meant(name, settings)
    checkpoint = resolved.checkpoint
    if checkpoint is None or checkpoint.format not in WEIGHT_FORMATS:
        return None
    contract = resolved.entry.input_of(checkpoint)
    try:
        spec = network_of(resolved)
    except ZoohubError:
        return None
    if contract is None or misfit(spec) is not None or not _compilable(contract, spec):
        return None
    return Subject(resolved, checkpoint, spec, contract, classes, run)


def with_own_weights(subject: Subject, request: LoadRequest) -> Subject:
    """The subject with the weights that the request names, where these are a file of one's own.

    Their names decide how they are read, unless the request does; what the file says of its input
    and classes goes before what the index says of the model. Other classes have no names.

    Raises:
        As `read_own_file`.
    """
    file, options = request.own_file, request.options
    if file is None:
        return subject
    said = read_own_file(file, subject.network).fitting(subject.network, options.num_classes)
    network = replace(said.spec(subject.network, subject.input), parameters=None)
    known = network.arguments.get(find_family(network.builder).classes_argument)
    asked = options.num_classes
    other = asked is not None and outputs_for(network, asked) != known
    classes = said.classes or (None if other else subject.classes)
    return replace(
        subject,
        network=network,
        input=said.input or subject.input,
        classes=classes,
        own=file,
        options=options,
    )
