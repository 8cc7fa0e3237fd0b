"""From a recipe to everything its run needs, and the run itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import mindspore as ms
from mindspore import nn

from zoohub.errors import DataError, RecipeError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.loading import build
from zoohub.training.data.batches import Plan
from zoohub.training.data.digits import read_digits
from zoohub.training.data.samples import Splits
from zoohub.training.loop import Hooks, Progress, check, run
from zoohub.training.metrics import Classification
from zoohub.training.recipe import DigitsData, Recipe
from zoohub.training.trainer import Arrays, Trainer, put_weights


@dataclass(frozen=True)
class Trained:
    """A finished run in memory: the network in evaluation mode with its final weights.

    `test` is None where the data has no test part.
    """

    net: nn.Cell
    weights: Arrays
    recipe: Recipe
    splits: Splits
    contract: InputContract
    progress: Progress
    test: Classification | None


def read_data(recipe: Recipe) -> Splits:
    """The recipe's pictures, split.

    Raises:
        DataError: they cannot be read, or there is nothing to train on.
    """
    if isinstance(recipe.data, DigitsData):
        splits = read_digits(recipe.data)
    else:
        raise RecipeError(f"data of kind {recipe.data.kind!r} cannot be read yet")
    if not len(splits.train):
        raise DataError("the training part is empty")
    return splits


def contract_of(recipe: Recipe) -> InputContract:
    """The recipe's input contract.

    Raises:
        RecipeError: it has none.
    """
    if recipe.input is None:
        raise RecipeError("the recipe has no `input`")
    values = {f.name: getattr(recipe.input, f.name) for f in dataclasses.fields(recipe.input)}
    channels = 1 if recipe.input.colour == "L" else 3
    return InputContract(channels=channels, layout="NCHW", provenance="recipe", **values)


def train(recipe: Recipe, hooks: Hooks | None = None) -> Trained:
    """Run `recipe` from its first step to its last, in this process.

    The same recipe gives the same weights, bit for bit, on the same machine.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
    """
    splits, contract = read_data(recipe), contract_of(recipe)
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    ms.set_seed(recipe.seed)
    net = new_network(recipe, len(splits.classes))
    parameters = net.trainable_params()
    plan = Plan(len(splits.train), recipe.batch_size, micro=recipe.micro_batch)
    trainer = Trainer(net, recipe, parameters, [1.0] * len(parameters), accumulate=plan.accumulate)
    kept: dict[str, Arrays] = {}
    inner = hooks or Hooks()

    def keep(name: str, arrays: Arrays) -> None:
        kept[name] = arrays
        if inner.keep:
            inner.keep(name, arrays)

    progress = run(
        trainer,
        recipe,
        splits,
        contract,
        plan=plan,
        progress=Progress(),
        hooks=dataclasses.replace(inner, keep=keep),
    )
    weights = kept.get(recipe.keep, kept["last"])
    put_weights(net, weights)
    net.set_train(False)
    test = check(net, None, splits.test, contract)
    return Trained(net, weights, recipe, splits, contract, progress, test)


def new_network(recipe: Recipe, classes: int) -> nn.Cell:
    """The recipe's network with fresh weights, drawn by MindSpore's own seed.

    Raises:
        RecipeError: the recipe names no builder.
    """
    if recipe.network is None:
        raise RecipeError("the recipe has no `network`")
    spec = NetworkSpec(recipe.network.builder, {**recipe.network.arguments, "num_classes": classes})
    return build(spec)
