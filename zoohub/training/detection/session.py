"""From a detector's recipe to everything its run needs, and the run itself, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mindspore as ms
from mindspore import nn

from zoohub.errors import DataError, RecipeError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.inference.runner import CellRunner
from zoohub.manifest.entry import InputContract
from zoohub.networks.loading import create_network
from zoohub.settings import Settings, load_settings
from zoohub.training.data.batches import Plan
from zoohub.training.detection.evaluation import evaluate_detection
from zoohub.training.detection.loop import BoxHooks, BoxProgress, run_detection
from zoohub.training.detection.loss import BoxLoss, FlatMaps, head_of, start_head
from zoohub.training.detection.reading import read_boxes
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.layers import frozen_names
from zoohub.training.start import Start, find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights


@dataclass(frozen=True)
class DetectionSession:
    """A run made ready: the recipe spelled out, its pictures and what it starts from."""

    recipe: DetectionRecipe
    splits: BoxSplits
    start: Start


@dataclass(frozen=True)
class TrainedDetector:
    """A finished run in memory: the network in evaluation mode with its final weights.

    `test` holds the figures on the test part, None where there is none.
    """

    net: nn.Cell
    weights: Arrays
    session: DetectionSession
    progress: BoxProgress
    test: dict[str, Any] | None


def open_detection(recipe: DetectionRecipe, settings: Settings | None = None) -> DetectionSession:
    """Read the recipe's data and resolve its model; downloads weights where it starts from some.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
        UnknownModel, NetworkNotAvailable, DownloadError: as `zoohub.load`.
    """
    splits = read_boxes(recipe.data)
    recipe, start = find_start(recipe, settings or load_settings())
    if recipe.micro_batch is not None and recipe.batch_size % recipe.micro_batch:
        raise RecipeError(f"micro_batch {recipe.micro_batch} does not divide {recipe.batch_size}")
    return DetectionSession(recipe, splits, start)


def build_detector(session: DetectionSession) -> nn.Cell:
    """The network with its starting weights and a head for the data's classes."""
    warn_if_too_late(limit_onednn())
    recipe, start = session.recipe, session.start
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    ms.set_seed(recipe.seed)
    classes = len(session.splits.classes)
    if start.path is not None:
        known = start.spec.arguments.get("num_classes", 80)
        net, _ = create_network(start.spec, start.path, num_classes=classes)
        fresh = known != classes
    else:
        arguments = {**start.spec.arguments, "num_classes": classes}
        net, _ = create_network(dataclasses.replace(start.spec, arguments=arguments), None)
        fresh = True
    if fresh:
        start_head(net, classes, _size(start.contract))
    return net


def build_detection_trainer(session: DetectionSession, net: nn.Cell, plan: Plan) -> Trainer:
    """The trainer of `net` with YOLOv5's loss."""
    recipe, start = session.recipe, session.start
    head, size = head_of(net), _size(start.contract)
    weights = recipe.loss.scaled(size, len(session.splits.classes), len(head.strides))
    loss = BoxLoss(head.anchors.asnumpy(), head.strides, size, weights, recipe.label_smoothing)
    names = [p.name for p in net.trainable_params()]
    frozen = frozen_names(names, recipe.frozen)
    trained = [p for p in net.trainable_params() if p.name not in frozen]
    return Trainer(
        FlatMaps(net),
        recipe,
        trained,
        [1.0] * len(trained),
        accumulate=plan.accumulate,
        loss=loss,
    )


def run_detection_session(
    session: DetectionSession,
    hooks: BoxHooks,
    *,
    load: Callable[[], tuple[Arrays, BoxProgress] | None] = lambda: None,
) -> tuple[nn.Cell, Trainer, BoxProgress]:
    """Train to the end; `load` gives a saved state to continue from, or None.

    Raises:
        CheckpointMismatch: the saved state is another run's.
    """
    recipe, splits = session.recipe, session.splits
    net = build_detector(session)
    plan = Plan(len(splits.train), recipe.batch_size, micro=recipe.micro_batch)
    trainer = build_detection_trainer(session, net, plan)
    state = load()
    if state is not None:
        trainer.restore(state[0])
    progress = run_detection(
        trainer,
        net,
        recipe,
        splits,
        session.start.contract,
        plan=plan,
        progress=state[1] if state is not None else BoxProgress(),
        hooks=hooks,
    )
    return net, trainer, progress


def train_detector(
    recipe: DetectionRecipe, hooks: BoxHooks | None = None, settings: Settings | None = None
) -> TrainedDetector:
    """Run `recipe` from its first step to its last, in this process and without a folder.

    Raises:
        As `open_detection`.
    """
    session = open_detection(recipe, settings)
    kept: dict[str, Arrays] = {}
    inner = hooks or BoxHooks()

    def keep(name: str, arrays: Arrays) -> None:
        kept[name] = arrays
        if inner.keep:
            inner.keep(name, arrays)

    net, trainer, progress = run_detection_session(session, dataclasses.replace(inner, keep=keep))
    weights = kept.get(session.recipe.keep, kept["last"])
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    test = evaluate_part(net, session, session.splits.test)
    return TrainedDetector(net, weights, session, progress, test)


def evaluate_part(
    net: nn.Cell, session: DetectionSession, samples: BoxSamples
) -> dict[str, Any] | None:
    """The network's figures on `samples`; None where they have no boxes."""
    if not samples.box_count:
        return None
    contract, classes = session.start.contract, session.splits.classes
    return evaluate_detection(CellRunner(net), samples, contract, classes)


def _size(contract: InputContract) -> tuple[int, int]:
    if contract.size is None:
        raise DataError("the size of the network's input is not known: give the recipe an `input`")
    return contract.size
