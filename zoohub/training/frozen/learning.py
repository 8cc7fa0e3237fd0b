"""A head that learns on features: what a run does instead of training the whole network."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mindspore import nn

from zoohub.core.binding import plain
from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.graphs.version import writer_version
from zoohub.networks.families import find_family, head_of
from zoohub.outputs.reading import choose_reading
from zoohub.predicting.measuring import measure_samples
from zoohub.predicting.predictor import Predictor
from zoohub.running import CellRunner
from zoohub.tasks.contract import Metric, Note, Random, Row, TrainingRow
from zoohub.tasks.samples import AnySamples, Samples
from zoohub.training.batches import PICTURE
from zoohub.training.epochs import Learner, part_of
from zoohub.training.frozen.features import BodyRunner, Features, Label, Part, duration
from zoohub.training.frozen.splitting import Split, split_network
from zoohub.training.options import Say
from zoohub.training.reports import Hooks, Load, Progress
from zoohub.training.session import Session
from zoohub.training.steps.trainer import Arrays

_VERSION = 1  # of what the kept features mean


def frozen_learner(session: Session, net: nn.Cell, kept: Path | None, say: Say) -> Learner:
    """The head of a session's network, on features of all its samples.

    Args:
        session: of a recipe with `freeze`.
        net: its network, with the starting weights.
        kept: the folder that keeps the features while the run goes on; None: in memory.
        say: told how long it takes, and what it leaves out.

    Raises:
        RecipeError: the network does not end with its head. DataError: no picture can be read.
    """
    start, splits = session.start, session.splits
    task, contract = session.task, start.contract
    assert contract.size is not None
    name = start.entry.model if start.entry is not None else start.spec.builder
    blank = np.zeros((1, contract.channels or 3, *contract.size), np.float32)
    split = split_network(net, head_of(start.spec), blank, name)
    body = BodyRunner(split.body, session.settings)
    rows = _TrainingRows(session)
    total = rows.count + len(splits.validation) + len(splits.test)

    def told(speed: float) -> None:
        say(
            f"features of {counted(total, 'picture')} by {body.engine}, once: about "
            f"{duration(total / speed)}"
        )

    say(_left_out(session, net, split))
    features = Features(body, None if kept is None else kept / "features", told)
    facts = _facts(session, split)
    train = features.of("train", rows.count, rows.read, {**facts, **rows.facts()})
    why = train.first_error()
    if why is not None:  # not one picture is left in its place
        raise DataError(why)
    prepare = task.prepare(contract)
    parts: dict[str, Part] = {}
    for part in ("validation", "test"):
        samples = part_of(session, part)

        # Bound here: the loop goes on before it is called.
        def read(place: int, samples: AnySamples = samples) -> tuple[Row, ...]:
            return prepare(samples.inputs[place])

        known = {**facts, "data": list(_identity(samples))}
        parts[part] = features.of(part, len(samples), read, known)
    return Learner(
        net, split.head, _FeatureRows(train, rows.views), _measuring(session, split.head, parts)
    )


def _left_out(session: Session, net: nn.Cell, split: Split) -> str:
    """What is computed once, and what that leaves out."""
    learns = sum(p.size for p in split.head.get_parameters())
    whole = sum(p.size for p in net.get_parameters())
    views = session.recipe.views or 1
    changes = (
        f"{counted(views, 'random variant')} a picture instead of a new one in each epoch"
        if session.task.without_changes(session.recipe) != session.recipe
        else "no random changes"
    )
    idle = f"; {', '.join(split.left_out)} stay as they are" if split.left_out else ""
    return (
        f"freeze: only the head learns, {learns:,} of {whole:,} values, on features that are "
        f"computed once; left out: all learning beneath it, batch statistics of the data, and "
        f"{changes}{idle}"
    )


class _TrainingRows:
    """The training part as rows to compute features of: each sample's variants, one round after
    the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._samples = session.splits.train
        self._make = session.task.training_rows(
            self._samples, session.start.contract, session.recipe
        )
        self.views = session.recipe.views or 1
        self.count = len(self._samples) * self.views

    def read(self, number: int) -> tuple[Row, ...]:
        """A row; an unreadable sample's place is taken by another's, as in any training."""
        view, place = divmod(number, len(self._samples))
        random = np.random.default_rng([self._session.recipe.seed, PICTURE, view, place])
        failed: dict[str, str] = {}
        row = self._make(place, random, failed.setdefault, view)
        return (Row(row.inputs, Label(int(row.targets["label"]), failed)),)

    def facts(self) -> dict[str, object]:
        """What the rows depend on."""
        recipe = self._session.recipe
        changes = plain(getattr(recipe, "augment", None))
        seed = recipe.seed
        return {"data": list(_identity(self._samples)), "changes": changes, "seed": seed}


class _FeatureRows:
    """See `TrainingRows`: a feature of the sample, of any of its variants."""

    def __init__(self, part: Part, views: int) -> None:
        self._part, self._views = part, views
        self._count = sum(len(shard.labels) for shard in part.shards) // views
        self._failed = part.failed

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """`image`, which is the feature, and its `label`."""
        for name, reason in self._failed.items():
            note(name, reason)
        view = int(random.integers(self._views)) if self._views > 1 else 0
        number = view * self._count + place
        label = np.array(self._part.label(number), np.int64)
        return TrainingRow({"image": self._part.feature(number)}, {"label": label})


@dataclass(frozen=True)
class _Measuring:
    """See `Learner.measure`: the head on the features of a part."""

    predictor: Predictor
    session: Session
    parts: Mapping[str, Part]

    def __call__(self, part: str, note: Note) -> Metric:
        features, samples = self.parts[part], part_of(self.session, part)
        numbered = Samples(range(len(samples)), samples.targets, samples.names)

        def prepare(number: int) -> tuple[Row, ...]:
            return (Row({"image": features.feature(number)}),)

        size = self.session.task.measuring_batch
        return measure_samples(self.predictor, numbered, size, note, prepare)


def _measuring(session: Session, head: nn.Cell, parts: Mapping[str, Part]) -> _Measuring:
    family = find_family(session.start.spec.builder)
    runner = CellRunner(head, outputs=family.raw)
    read = choose_reading(family.raw, own=family.read_outputs())
    contract, classes = session.start.contract, session.splits.classes
    return _Measuring(Predictor(session.task, runner, read, contract, classes), session, parts)


def _facts(session: Session, split: Split) -> dict[str, object]:
    """What features depend on besides the pictures."""
    digest = hashlib.sha256()
    for parameter in split.body.get_parameters():
        digest.update(parameter.name.encode())
        digest.update(parameter.asnumpy().tobytes())
    contract = dataclasses.asdict(session.start.contract)
    return {
        "version": [_VERSION, writer_version()],
        "weights": digest.hexdigest(),
        "network": [session.start.spec.builder, dict(session.start.spec.arguments)],
        "input": {key: value for key, value in contract.items() if key != "text"},
    }


def _identity(samples: AnySamples) -> Iterator[object]:
    """What makes samples the same ones: a file's name, size and time; an array's content."""
    for value, name, target in zip(samples.inputs, samples.names, samples.targets, strict=True):
        if isinstance(value, np.ndarray):
            content: object = hashlib.sha256(value.tobytes()).hexdigest()
        else:
            try:
                status = Path(str(value)).stat()
                content = [status.st_size, status.st_mtime_ns]
            except OSError:
                content = None
        yield [os.fsencode(name).hex(), int(target), content]


def with_body(net: nn.Cell, hooks: Hooks) -> Hooks:
    """Hooks that keep the whole network's weights where only those of its head come."""
    keep = hooks.keep
    if keep is None:
        return hooks

    def whole(name: str, arrays: Arrays) -> None:
        known = {p.name: p.asnumpy().copy() for p in net.get_parameters() if p.name not in arrays}
        ordered = (p.name for p in net.get_parameters())
        keep(name, {key: arrays[key] if key in arrays else known[key] for key in ordered})

    return dataclasses.replace(hooks, keep=whole)


def for_head(head: nn.Cell, load: Load) -> Load:
    """A saved state without the weights that the head does not have: a finished run keeps all."""
    own = {p.name for p in head.get_parameters()}

    def loaded() -> tuple[Arrays, Progress] | None:
        saved = load()
        if saved is None:
            return None
        arrays = {
            name: array
            for name, array in saved[0].items()
            if not name.startswith(("net.", "ema.")) or name.partition(".")[2] in own
        }
        return arrays, saved[1]

    return loaded
