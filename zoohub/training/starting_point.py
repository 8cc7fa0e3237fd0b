"""What a run starts from: a network's specification, its input contract and perhaps weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from zoohub.checkpoint.naming import is_averaged, not_averaged
from zoohub.checkpoint.opening import open_weights
from zoohub.core.paths import local_path
from zoohub.errors import DataError, NetworkNotAvailable, RecipeError, UnknownModel
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.models.fetching import fetch_resolved
from zoohub.models.own_files import OwnFile, read_own_file, say_taken
from zoohub.models.provenance import class_names_of
from zoohub.models.runs import SavedRun, is_run, open_run
from zoohub.models.texts import for_arguments
from zoohub.networks.families import find_family, head_of
from zoohub.settings import Settings
from zoohub.tasks.recipe import Network, Recipe
from zoohub.training.recipe_input import as_input, check_channels, complete, contract_of

R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True)
class Start:
    """`path` is the weights' file, None for a fresh start; `classes` name their outputs.

    `renewed`: the network is under another head than the file's; `resized`: it may be for pictures
    of another size than the weights were.
    """

    spec: NetworkSpec
    contract: InputContract
    path: Path | None
    entry: Entry | None
    checkpoint: Checkpoint | None
    classes: tuple[str, ...] | None = None
    renewed: bool = False
    resized: bool = False


def find_start(recipe: R, settings: Settings) -> tuple[R, Start]:
    """Resolve the recipe's model, and fetch its weights where it starts from some.

    Returns the recipe with checkpoint and input spelled out, as found now, and the start.

    Raises:
        UnknownModel, AmbiguousReference, NetworkNotAvailable, DownloadError: as `zoohub.load`.
        RecipeError: the input contract is not known and the recipe gives none, or a fresh start is
            to have averaged weights.
        CheckpointMismatch: the file has none, and the recipe asks for them.
    """
    if recipe.start_ema and recipe.checkpoint is None:
        raise RecipeError("start_ema (--ema): fresh weights have no average; give a checkpoint")
    found = find_origin(recipe, settings)
    checkpoint, path = found.checkpoint, _fetched(recipe, found, settings)
    if recipe.start_ema and path is not None:
        _check_averaged(path)
    contract = _contract(recipe, found)
    if recipe.input is None and recipe.text is None:  # which are spelled out below
        names = None if found.checkpoint is None else class_names_of(found.checkpoint)
        say_taken(path, found.said, _published_contract(found), names)
    own = _spec(recipe, found)
    spec = _for_size(own, recipe, found)
    explicit = dataclasses.replace(recipe, model=found.model)
    if contract.text is None:
        explicit = dataclasses.replace(explicit, input=as_input(contract))
    else:
        contract = _for_network(contract, spec, path)
        explicit = dataclasses.replace(explicit, text=contract.text)
    if found.run is None and path is not None and own_file(recipe.checkpoint):
        explicit = dataclasses.replace(explicit, checkpoint=str(path.absolute()))
    elif found.run is None and checkpoint is not None and recipe.checkpoint is not None:
        explicit = dataclasses.replace(explicit, model=checkpoint.model, checkpoint=checkpoint.id)
    if recipe.network is None and path is None:
        network = Network(spec.builder, dict(spec.arguments), " ".join(head_of(spec)) or None)
        explicit = dataclasses.replace(explicit, network=network)
    classes, resized = _classes(recipe, found), spec is not own or recipe.network is not None
    return explicit, Start(spec, contract, path, found.entry, checkpoint, classes, resized=resized)


@dataclass(frozen=True)
class Origin:
    """What a recipe's model and checkpoint mean, before anything is fetched.

    `model` is the name that means it anywhere; `run` is the finished run it is, if it is one;
    `said` is what a file of one's own weights says of itself.
    """

    model: str
    run: SavedRun | None = None
    resolved: Resolved | None = None
    said: OwnFile = field(default_factory=OwnFile)

    @property
    def entry(self) -> Entry | None:
        """The index's (or the run's own) entry; None where the recipe says all itself."""
        known = self.run or self.resolved
        return None if known is None else known.entry

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint, if there is one."""
        known = self.run or self.resolved
        return None if known is None else known.checkpoint


def find_origin(recipe: Recipe, settings: Settings) -> Origin:
    """Resolve the recipe's model. Raises UnknownModel, AmbiguousReference as `zoohub.load`;
    CheckpointError as `read_own_file`."""
    run = find_run(recipe.model, settings)
    if run is not None:
        # Found from any folder, and by no other name.
        return Origin(str(run.path.absolute()), run)
    if recipe.network is not None and recipe.checkpoint is None:
        return Origin(recipe.model)
    reference = recipe.model
    own = own_file(recipe.checkpoint)
    if recipe.checkpoint not in (None, "default") and own is None:
        reference = f"{recipe.model}@{recipe.checkpoint}"
    found = Origin(recipe.model, None, open_index(settings).resolve(reference))
    if own is None or recipe.network is not None:
        return found
    said = read_own_file(local_path(own), _published_spec(found))
    return dataclasses.replace(found, said=said)


def _spec(recipe: Recipe, found: Origin) -> NetworkSpec:
    """The network: the recipe's own, else the checkpoint's, else the model's."""
    if recipe.network is not None:
        given = recipe.network
        return NetworkSpec(given.builder, given.arguments, head=given.head)
    spec = _published_spec(found)
    if spec is None:
        raise NetworkNotAvailable(
            f"zoohub has no network definition for {recipe.model}, so it cannot be trained; "
            "`zoohub list --runnable` shows what can"
        )
    return found.said.spec(spec, _published_contract(found))


def _published_spec(found: Origin) -> NetworkSpec | None:
    """The network that the checkpoint, or else the model, has."""
    return found.entry.network_of(found.checkpoint) if found.entry else None


def _for_size(spec: NetworkSpec, recipe: Recipe, found: Origin) -> NetworkSpec:
    """The model's own network for the recipe's pictures, where it is made for one size of them."""
    wanted, known = recipe.input, _known_contract(found)
    if wanted is None or known is None or known.size == wanted.size or recipe.network is not None:
        return spec
    height, width = wanted.size
    if height != width or "image_size" not in find_family(spec.builder).arguments:
        return spec
    return dataclasses.replace(spec, arguments={**spec.arguments, "image_size": height})


def _known_contract(found: Origin) -> InputContract | None:
    """What one's own file says, else what the checkpoint, or else the model, was made for."""
    return found.said.input or _published_contract(found)


def _published_contract(found: Origin) -> InputContract | None:
    return found.entry.input_of(found.checkpoint) if found.entry else None


def _contract(recipe: Recipe, found: Origin) -> InputContract:
    """The input contract: the recipe's own, else the checkpoint's, else the model's."""
    if recipe.text is not None:
        return InputContract(text=recipe.text, provenance="recipe")
    if recipe.input is not None:
        check_channels(recipe.input)
        layout = find_family(_spec(recipe, found).builder).layout
        return complete(recipe.model, contract_of(recipe.input, layout))
    return complete(recipe.model, _known_contract(found))


def _for_network(contract: InputContract, spec: NetworkSpec, path: Path | None) -> InputContract:
    """The contract of a network that reads text, as its arguments and its weights say."""
    from zoohub.networks.loading import sizes_in_file

    assert contract.text is not None
    sizes = {} if path is None else sizes_in_file(spec, open_weights(path).table(), ())
    text = for_arguments(contract.text, {**sizes, **spec.arguments})
    return dataclasses.replace(contract, text=text)


def _classes(recipe: Recipe, found: Origin) -> tuple[str, ...] | None:
    """The names of the outputs of what the run starts from, where they are known."""
    if found.run is not None:
        return found.run.classes
    if own_file(recipe.checkpoint) is not None:
        return found.said.classes
    return class_names_of(found.checkpoint) if found.checkpoint is not None else None


def _fetched(recipe: Recipe, found: Origin, settings: Settings) -> Path | None:
    """The weights' file; None for a fresh start."""
    if found.run is not None:
        return found.run.weights if recipe.checkpoint else None
    if found.resolved is None or recipe.checkpoint is None:
        return None
    own = own_file(recipe.checkpoint)
    if own is None:
        return fetch_resolved(found.resolved, settings)
    file = local_path(own)
    if not file.is_file():
        raise DataError(f"{file}: there is no such checkpoint file")
    return file


def _check_averaged(path: Path) -> None:
    """See that a file has averaged weights, before a run's folder is made."""
    weights = open_weights(path)
    if weights.averaged is None and not any(map(is_averaged, weights.table())):
        raise not_averaged(path.name)


def find_run(model: str, settings: Settings) -> SavedRun | None:
    """The finished run a model's name means, as for `zoohub.load`: a reference goes before a
    folder of the same name, unless that is written as a path.

    Raises:
        DataError: a path that holds no finished run.
    """
    if is_path(model):
        return open_run(model)
    if not is_run(model):
        return None
    try:
        open_index(settings).resolve(model)
    except UnknownModel:
        return open_run(model)
    return None


def own_file(checkpoint: str | None) -> str | None:
    """A recipe's checkpoint where it is written as a file's path rather than an id."""
    return checkpoint if checkpoint is not None and is_path(checkpoint) else None
