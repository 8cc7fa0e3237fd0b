"""What a run starts from: a network's specification, its input contract and perhaps weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from zoohub.errors import DataError, NetworkNotAvailable, RecipeError
from zoohub.manifest import open_index
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.settings import Settings
from zoohub.training.recipe import Input, Network, Recipe
from zoohub.training.saved import is_run, open_run


@dataclass(frozen=True)
class Start:
    """`path` is the weights' file, None for a fresh start."""

    spec: NetworkSpec
    contract: InputContract
    path: Path | None
    entry: Entry | None
    checkpoint: Checkpoint | None


def find_start(recipe: Recipe, settings: Settings) -> tuple[Recipe, Start]:
    """Resolve the recipe's model, and fetch its weights where it starts from some.

    Returns the recipe with checkpoint and input spelled out, as found now, and the start.

    Raises:
        UnknownModel, AmbiguousReference, NetworkNotAvailable, DownloadError: as `zoohub.load`.
        RecipeError: the input contract is not known and the recipe gives none.
    """
    entry, checkpoint, path = _resolve(recipe, settings)
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
        contract = contract_of(recipe.input)
    else:
        known = (checkpoint.input if checkpoint else None) or (entry.input if entry else None)
        contract = _complete(recipe.model, known)
    explicit = dataclasses.replace(recipe, input=_as_input(contract))
    if checkpoint is not None and recipe.checkpoint is not None and not is_run(recipe.model):
        explicit = dataclasses.replace(explicit, model=checkpoint.model, checkpoint=checkpoint.id)
    if recipe.network is None:
        network = Network(spec.builder, dict(spec.arguments), spec.head)
        explicit = dataclasses.replace(explicit, network=network) if path is None else explicit
    return explicit, Start(spec, contract, path, entry, checkpoint)


def contract_of(given: Input) -> InputContract:
    """The recipe's `input` as a contract."""
    values = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
    channels = 1 if given.colour == "L" else 3
    return InputContract(channels=channels, layout="NCHW", provenance="recipe", **values)


def _resolve(
    recipe: Recipe, settings: Settings
) -> tuple[Entry | None, Checkpoint | None, Path | None]:
    if is_run(recipe.model):
        run = open_run(recipe.model)
        return run.entry, run.checkpoint, run.weights if recipe.checkpoint else None
    if recipe.network is not None and recipe.checkpoint is None:
        return None, None, None
    reference = recipe.model
    own = recipe.checkpoint if _is_path(recipe.checkpoint) else None
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
    from zoohub.api import fetch_resolved

    return resolved.entry, resolved.checkpoint, fetch_resolved(resolved, settings)


def _is_path(text: str | None) -> bool:
    return text is not None and text.startswith((".", "/", "~"))


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
