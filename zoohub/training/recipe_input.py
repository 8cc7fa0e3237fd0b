"""A recipe's `input` and the contract it stands for: each from the other, checked."""

from __future__ import annotations

import dataclasses
from typing import Literal

from zoohub.core.counting import counted
from zoohub.errors import RecipeError
from zoohub.manifest.entry import InputContract
from zoohub.tasks.recipe import Input


def contract_of(given: Input, layout: Literal["NCHW", "NHWC"] = "NCHW") -> InputContract:
    """The recipe's `input` as a contract, of pictures that lie in memory as the network's family
    takes them."""
    values = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
    channels = 1 if given.colour == "L" else 3
    return InputContract(channels=channels, layout=layout, provenance="recipe", **values)


def check_channels(given: Input) -> None:
    """See, before an epoch is spent, that a picture's values can be brought to mean and std, and
    be filled up.

    Raises:
        RecipeError: the mean or the std is missing, one of them or the fill is not a value a
            channel, or the std is not above 0.
    """
    channels = 1 if given.colour == "L" else 3
    if given.fill is not None and len(given.fill) not in (1, channels):
        raise RecipeError(
            f"input.fill: expected one value, or one for each channel of {given.colour} "
            f"({channels}), found {len(given.fill)}"
        )
    if given.mean is None and given.std is None:
        return
    for name, values in (("mean", given.mean), ("std", given.std)):
        if values is None:
            raise RecipeError(f"input.{name} is missing; give mean and std, or neither")
        if len(values) != channels:
            raise RecipeError(
                f"input.{name}: expected {counted(channels, 'value')}, one for each channel of "
                f"{given.colour}, found {len(values)}"
            )
        if name == "std" and min(values) <= 0:
            raise RecipeError(f"input.std: expected numbers above 0, found {list(values)}")


def complete(model: str, contract: InputContract | None) -> InputContract:
    """The contract of a model with what a recipe takes for granted filled in.

    Raises:
        RecipeError: the size of its pictures is not known.
    """
    if contract is not None and contract.text is not None:
        return contract
    if contract is None or contract.size is None:
        raise RecipeError(
            f"the index does not know the input of {model}; give the recipe an `input` with at "
            "least `size`, e.g. --set 'input.size=[224, 224]'"
        )
    if contract.resize == "crop" and contract.crop is None:
        contract = dataclasses.replace(contract, crop=0.875)
    if contract.interpolation is None:
        contract = dataclasses.replace(contract, interpolation="bilinear")
    return contract


def as_input(contract: InputContract) -> Input:
    """A contract as a recipe spells it out."""
    assert contract.size is not None
    values = {f.name: getattr(contract, f.name) for f in dataclasses.fields(Input)}
    return Input(**values)
