"""What a run starts from: a network's specification, its input contract and perhaps weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zoohub.api import fetch_resolved, is_path
from zoohub.errors import DataError, NetworkNotAvailable, RecipeError, UnknownModel
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.manifest.opening import open_index
from zoohub.provenance import class_names_of
from zoohub.settings import Settings
from zoohub.training.recipe import Input, Network, TrainingRun
from zoohub.training.saved import SavedRun, is_run, open_run

R = TypeVar("R", bound=TrainingRun)


@dataclass(frozen=True)
class Start:
    """`path` is the weights' file, None for a fresh start; `classes` name their outputs."""

    spec: NetworkSpec
    contract: InputContract
    path: Path | None
    entry: Entry | None
    checkpoint: Checkpoint | None
    classes: tuple[str, ...] | None = None


def find_start(recipe: R, settings: Settings) -> tuple[R, Start]:
    """Resolve the recipe's model, and fetch its weights where it starts from some.

    Returns the recipe with checkpoint and input spelled out, as found now, and the start.

    Raises:
        UnknownModel, AmbiguousReference, NetworkNotAvailable, DownloadError: as `zoohub.load`.
        RecipeError: the input contract is not known and the recipe gives none.
    """
    run = find_run(recipe.model, settings)
    entry: Entry | None
    checkpoint: Checkpoint | None
    classes: tuple[str, ...] | None
    if run is not None:
        # Found from any folder, and by no other name.
        recipe = dataclasses.replace(recipe, model=str(run.path.absolute()))
        entry, checkpoint = run.entry, run.checkpoint
        path = run.weights if recipe.checkpoint else None
        classes = run.classes
    else:
        entry, checkpoint, path = _resolve(recipe, settings)
        own = own_file(recipe.checkpoint) is not None
        classes = class_names_of(checkpoint) if checkpoint is not None and not own else None
    spec = (checkpoint.network if checkpoint else None) or (entry.network if entry else None)
    if recipe.network is not None:
        given = recipe.network
        spec = NetworkSpec(given.builder, given.arguments, head=given.head)
    if spec is None:
        raise NetworkNotAvailable(
            f"zoohub has no network definition for {recipe.model}, so it cannot be trained; "
            "`zoohub list --runnable` shows what can"
        )
    if recipe.input is not None:
        _check_normalisation(recipe.input)
        contract = contract_of(recipe.input)
    else:
        known = (checkpoint.input if checkpoint else None) or (entry.input if entry else None)
        contract = _complete(recipe.model, known)
    explicit = dataclasses.replace(recipe, input=_as_input(contract))
    if run is None and path is not None and own_file(recipe.checkpoint):
        explicit = dataclasses.replace(explicit, checkpoint=str(path.absolute()))
    elif checkpoint is not None and recipe.checkpoint is not None and run is None:
        explicit = dataclasses.replace(explicit, model=checkpoint.model, checkpoint=checkpoint.id)
    if recipe.network is None:
        network = Network(spec.builder, dict(spec.arguments), spec.head)
        explicit = dataclasses.replace(explicit, network=network) if path is None else explicit
    return explicit, Start(spec, contract, path, entry, checkpoint, classes)


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


def contract_of(given: Input) -> InputContract:
    """The recipe's `input` as a contract."""
    values = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
    channels = 1 if given.colour == "L" else 3
    return InputContract(channels=channels, layout="NCHW", provenance="recipe", **values)


def _check_normalisation(given: Input) -> None:
    """See, before an epoch is spent, that a picture's values can be brought to mean and std.

    Raises:
        RecipeError: one of them is missing, is not a value a channel, or the std is not above 0.
    """
    if given.mean is None and given.std is None:
        return
    channels = 1 if given.colour == "L" else 3
    for name, values in (("mean", given.mean), ("std", given.std)):
        if values is None:
            raise RecipeError(f"input.{name} is missing; give mean and std, or neither")
        if len(values) != channels:
            raise RecipeError(
                f"input.{name}: expected {channels} values, one for each channel of "
                f"{given.colour}, found {len(values)}"
            )
        if name == "std" and min(values) <= 0:
            raise RecipeError(f"input.std: expected numbers above 0, found {list(values)}")


def _resolve(
    recipe: TrainingRun, settings: Settings
) -> tuple[Entry | None, Checkpoint | None, Path | None]:
    if recipe.network is not None and recipe.checkpoint is None:
        return None, None, None
    reference = recipe.model
    own = own_file(recipe.checkpoint)
    if recipe.checkpoint not in (None, "default") and own is None:
        reference = f"{recipe.model}@{recipe.checkpoint}"
    resolved = open_index(settings).resolve(reference)
    if own is not None:
        file = Path(own).expanduser()
        if not file.is_file():
            raise DataError(f"{file}: there is no such checkpoint file")
        return resolved.entry, resolved.checkpoint, file
    if recipe.checkpoint is None:
        return resolved.entry, resolved.checkpoint, None
    return resolved.entry, resolved.checkpoint, fetch_resolved(resolved, settings)


def own_file(checkpoint: str | None) -> str | None:
    """A recipe's checkpoint where it is written as a file's path rather than an id."""
    return checkpoint if checkpoint is not None and is_path(checkpoint) else None


def _complete(model: str, contract: InputContract | None) -> InputContract:
    if contract is None or contract.size is None:
        raise RecipeError(
            f"the index does not know the input of {model}; give the recipe an `input` with at "
            "least `size`, e.g. --set 'input.size=[224, 224]'"
        )
    if contract.resize == "crop" and contract.crop is None:
        contract = dataclasses.replace(contract, crop=0.875)
    if contract.interpolation is None:
        contract = dataclasses.replace(contract, interpolation="bilinear")
    if contract.layout != "NCHW":
        raise RecipeError(f"{model} takes NHWC input; training needs a network that takes NCHW")
    return contract


def _as_input(contract: InputContract) -> Input:
    assert contract.size is not None
    values = {f.name: getattr(contract, f.name) for f in dataclasses.fields(Input)}
    return Input(**values)
