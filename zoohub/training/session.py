"""From a recipe to everything its run needs, and the run itself, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mindspore as ms
from mindspore import nn

from zoohub.errors import RecipeError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.loading import create_network
from zoohub.settings import Settings, load_settings
from zoohub.training.data.batches import Plan
from zoohub.training.data.classes import same_classes
from zoohub.training.data.reading import read_splits
from zoohub.training.data.samples import Splits
from zoohub.training.layers import belongs, frozen_names, layer_scales
from zoohub.training.loop import Hooks, Progress, evaluate_samples, run
from zoohub.training.metrics import Classification
from zoohub.training.recipe import Recipe
from zoohub.training.start import Start, find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights

_NO_MEMORY = ("out of memory", "memory not enough", "allocate memory", "memory isn't enough")


@dataclass(frozen=True)
class Workers:
    """How many processes train together, and which of them this is."""

    count: int = 1
    rank: int = 0


@dataclass(frozen=True)
class Session:
    """A run made ready: the recipe spelled out, its pictures and what it starts from."""

    recipe: Recipe
    splits: Splits
    start: Start
    workers: Workers

    def leave_out(self, name: str, reason: str) -> bool:
        """Count a picture that turned out unreadable; whether it is the first time."""
        first = name not in self.splits.skipped
        self.splits.skipped.setdefault(name, reason)
        return first


@dataclass(frozen=True)
class Trained:
    """A finished run in memory: the network in evaluation mode with its final weights.

    `test` is None where the data has no test part.
    """

    net: nn.Cell
    weights: Arrays
    session: Session
    progress: Progress
    test: Classification | None


def open_session(
    recipe: Recipe,
    settings: Settings | None = None,
    workers: Workers | None = None,
    splits: Splits | None = None,
) -> Session:
    """Read the recipe's data and resolve its model; downloads weights where it starts from some.

    `splits` is the data, where it has been read already.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
        UnknownModel, NetworkNotAvailable, DownloadError: as `zoohub.load`.
    """
    workers = workers or Workers()
    settings = settings or load_settings()
    splits = splits or read_splits(recipe.data)
    recipe, start = find_start(recipe, settings)
    share, left = divmod(recipe.batch_size, workers.count)
    if left:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {workers.count} workers; "
            f"{share * workers.count or workers.count} can"
        )
    if recipe.micro_batch is not None and share % recipe.micro_batch:
        raise RecipeError(f"micro_batch {recipe.micro_batch} does not divide {share}")
    return Session(recipe, splits, start, workers)


def build_network(session: Session, say: Callable[[str], object] = lambda text: None) -> nn.Cell:
    """The network with its starting weights and a head for the data's classes.

    The checkpoint's own head stays only where the data's classes are the checkpoint's, by name.
    """
    warn_if_too_late(limit_onednn())
    recipe, start = session.recipe, session.start
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    if recipe.mempool_block_size is not None:
        ms.set_context(mempool_block_size=recipe.mempool_block_size)
    ms.set_seed(recipe.seed)
    classes = len(session.splits.classes)
    spec: NetworkSpec = start.spec
    if start.path is not None:
        net, report = create_network(spec, start.path, num_classes=classes)
        same = same_classes(session.splits.classes, start.classes)
        if report is not None and not report.replaced and not same:
            _renew_head(net, spec, classes)
        if not same:
            say(f"a new head for {classes} classes; all else starts from {start.path.name}")
    else:
        net = _fresh_network(spec, classes)
    return _in_precision(net, recipe)


def _fresh_network(spec: NetworkSpec, classes: int) -> nn.Cell:
    arguments = {**spec.arguments, "num_classes": classes}
    return create_network(dataclasses.replace(spec, arguments=arguments), None)[0]


def _renew_head(net: nn.Cell, spec: NetworkSpec, classes: int) -> None:
    """Give the head initial values: other classes than the checkpoint's, though as many.

    Raises:
        RecipeError: the index does not say which part of the network is the head.
    """
    if spec.head is None:
        raise RecipeError(
            f"which part of {spec.builder} is its head is not known, so it cannot learn other "
            "classes; start from fresh weights (--scratch), or give the recipe a `network` with "
            "`head`"
        )
    values = {p.name: p for p in _fresh_network(spec, classes).get_parameters()}
    for parameter in net.get_parameters():
        if any(belongs(parameter.name, prefix) for prefix in spec.head.split()):
            parameter.set_data(ms.Tensor(values[parameter.name].asnumpy()))


def _in_precision(net: nn.Cell, recipe: Recipe) -> nn.Cell:
    """The network computing as `amp` says, in bfloat16: its range needs no loss scaling.

    Raises:
        RecipeError: the device has no such arithmetic.
    """
    if recipe.amp == "O0":
        return net
    if ms.get_context("device_target") == "CPU":
        raise RecipeError(
            f"amp {recipe.amp}: MindSpore's CPU convolutions compute in float32 only; "
            "use amp: O0 here, or an Ascend device"
        )
    return ms.amp.auto_mixed_precision(net, recipe.amp, ms.bfloat16)


def build_trainer(session: Session, net: nn.Cell, plan: Plan) -> Trainer:
    """The trainer of `net`: which parameters learn, and how fast, as the recipe says.

    Raises:
        RecipeError: a frozen part does not exist, or the network's normalisation cannot be synced.
    """
    recipe = session.recipe
    names = [p.name for p in net.trainable_params()]
    frozen = frozen_names(names, recipe.frozen)
    head = (session.start.spec.head or "").split()
    scales = dict(zip(names, layer_scales(names, recipe.layer_decay, head), strict=True))
    trained = [p for p in net.trainable_params() if p.name not in frozen]
    if recipe.sync_batch_norm:
        raise RecipeError("sync_batch_norm: not available yet; leave it false")
    return Trainer(
        net,
        recipe,
        trained,
        [scales[p.name] for p in trained],
        accumulate=plan.accumulate,
        workers=session.workers.count,
        rank=session.workers.rank,
    )


def run_session(
    session: Session,
    hooks: Hooks,
    *,
    load: Callable[[], tuple[Arrays, Progress] | None] = lambda: None,
    say: Callable[[str], object] = lambda text: None,
) -> tuple[Trainer, Progress]:
    """Train to the end; `load` gives a saved state to continue from, or None.

    Where the memory does not suffice, the batch is computed in halves, and in halves of those,
    with the gradients added up: the global batch and the learning rate stay.

    Raises:
        CheckpointMismatch: the saved state is another run's.
    """
    net = build_network(session, say)

    def note(name: str, reason: str) -> None:
        if session.leave_out(name, reason):
            say(f"left out: {reason}")

    first: Arrays | None = None
    micro = session.recipe.micro_batch
    while True:
        recipe, workers = session.recipe, session.workers
        count = len(session.splits.train)
        plan = Plan(count, recipe.batch_size, workers.count, workers.rank, micro)
        trainer = build_trainer(session, net, plan)
        state = load()
        if state is not None:
            trainer.restore(state[0])
        elif first is not None:
            trainer.restore(first)
        progress = state[1] if state is not None else Progress()
        first = first or trainer.state()
        try:
            return trainer, run(
                trainer,
                recipe,
                session.splits,
                session.start.contract,
                plan=plan,
                progress=progress,
                hooks=hooks,
                note=note,
            )
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or plan.micro_batch % 2:
                raise
            micro = plan.micro_batch // 2
            say(
                f"{plan.micro_batch} pictures at once do not fit into memory: computing "
                f"{micro} at a time and adding up the gradients; the batch stays "
                f"{recipe.batch_size}"
            )
        finally:
            trainer.dropouts.restore()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether MindSpore (or Python) ran out of memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(phrase in text for phrase in _NO_MEMORY)


def train(recipe: Recipe, hooks: Hooks | None = None, settings: Settings | None = None) -> Trained:
    """Run `recipe` from its first step to its last, in this process and without a folder.

    The same recipe gives the same weights, bit for bit, on the same machine.

    Raises:
        As `open_session`.
    """
    session = open_session(recipe, settings)
    kept: dict[str, Arrays] = {}
    inner = hooks or Hooks()

    def keep(name: str, arrays: Arrays) -> None:
        kept[name] = arrays
        if inner.keep:
            inner.keep(name, arrays)

    trainer, progress = run_session(session, dataclasses.replace(inner, keep=keep))
    weights = kept.get(recipe.keep, kept["last"])
    put_weights(trainer.parameters, weights)
    trainer.net.set_train(False)
    test = None
    if len(session.splits.test):
        test = evaluate_samples(trainer.net, session.splits.test, session.start.contract)
    return Trained(trainer.net, weights, session, progress, test)


def describe(session: Session) -> dict[str, Any]:
    """How many pictures and classes there are, for people and for `run.json`."""
    splits = session.splits
    return {
        "classes": len(splits.classes),
        "train": len(splits.train),
        "validation": len(splits.validation),
        "test": len(splits.test),
        "skipped": len(splits.skipped),
    }


def data_warnings(session: Session) -> list[str]:
    """What the user should know of the data before the run starts."""
    splits = session.splits
    warnings = list(splits.warnings)
    for path, reason in list(splits.skipped.items())[:10]:
        warnings.append(f"left out: {path}: {reason}")
    if len(splits.skipped) > 10:
        warnings.append(f"… and {len(splits.skipped) - 10} more pictures left out")
    if len(splits.train) < session.recipe.batch_size:
        warnings.append(
            f"{len(splits.train)} training pictures do not fill a batch of "
            f"{session.recipe.batch_size}: they are repeated in it"
        )
    return warnings
