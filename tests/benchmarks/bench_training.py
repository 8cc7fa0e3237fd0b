"""zoohub's training beside mindcv 0.3.0's: the step, the data pipeline, and both together.

    python tests/benchmarks/bench_training.py [mobilenet_v2_100 resnet50] [--batch 16] [--rounds 5]

Where mindcv 0.3.0 is not installed, zoohub is measured alone. Both train in graph mode at 224
pixels on the same folder of 500×375 JPEGs made here, with a random crop, mirror image and change of
colour, and momentum SGD. Each side is a process of its own that stays. They measure the same thing
at the same time and take turns of two seconds, the other one stopped: a machine that changes its
speed from one minute to the next changes it for both. Figures are images a second of a side's own
turns, median of the rounds:

    step      the same batch again and again
    data      reading, decoding, augmenting and batching, nothing else; an epoch each
    together  an epoch as `finetune` and mindcv's script run it

`ratio` is zoohub's figure over mindcv's, the median of the rounds' own. Loading is no bottleneck
where `data` is above `step`.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from peers import is_here

CLASSES = 4
MEASURES = ("step", "data", "together")
TURN = 2.0  # seconds
MODELS = ("mobilenet_v2_100", "resnet50")  # so called by both


def make_pictures(folder: Path, count: int) -> None:
    """JPEGs of ImageNet's usual size with detail at every scale; the same each time."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(count):
        pixels = np.zeros((375, 500, 3))
        for side, strength in ((6, 60), (24, 35), (96, 20), (400, 8)):
            coarse = random.integers(0, 256, (side * 3 // 4, side, 3), np.uint8)
            fine = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
            pixels += (np.asarray(fine, np.float64) - 128) / 128 * strength
        place = folder / f"class{number % CLASSES}" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels + 128, 0, 255).astype(np.uint8)).save(place, quality=90)


# A side: what each measure runs. Every function returns the number of pictures it took.


def zoohub_side(model: str, folder: Path, batch: int, steps: int) -> dict[str, Callable[[], int]]:
    import numpy as np

    from zoohub.training import parse_recipe
    from zoohub.training.batches import Loader, Plan
    from zoohub.training.epochs import Course, run_epochs, whole_learner
    from zoohub.training.network import build_network, build_trainer
    from zoohub.training.reports import Hooks, Progress
    from zoohub.training.session import open_session

    text = f"""
model: {model}
data: {{kind: folder, path: {folder}, validation: 0.0}}
augment: {{area: [0.35, 1.0], flip: 0.5, colour: 0.2}}
optimizer: {{name: sgd, lr: 0.01, weight_decay: 0.0001}}
schedule: {{name: constant}}
label_smoothing: 0.1
epochs: 1
batch_size: {batch}
"""
    recipe = parse_recipe(text)
    session = open_session(recipe)
    recipe, task = session.recipe, session.task
    plan = Plan(len(session.splits.train), batch)
    net = build_network(session)
    trainer = build_trainer(session, net, plan)
    rows = task.training_rows(session.splits.train, session.start.contract, recipe)
    loader = Loader(rows, plan, 0)
    batches = task.step_batches(next(loader.steps(0)), recipe, CLASSES, np.random.default_rng(0), 1)
    course = Course(
        session, whole_learner(session, net), trainer, plan, Hooks(), lambda name, reason: None
    )
    epoch = [0]

    def step() -> int:
        for _ in range(steps):
            trainer.step(batches, 0.01)
        return steps * batch

    def read() -> int:
        epoch[0] += 1
        return sum(len(rows.targets["label"]) for rows in loader.steps(epoch[0]))

    def together() -> int:
        run_epochs(course, Progress())
        return plan.steps * batch

    return {"step": step, "data": read, "together": together}


def mindcv_side(model: str, folder: Path, batch: int, steps: int) -> dict[str, Callable[[], int]]:
    import mindspore as ms
    from mindcv.data import create_dataset, create_loader, create_transforms
    from mindcv.loss import create_loss
    from mindcv.models import create_model
    from mindcv.optim import create_optimizer
    from mindcv.utils import create_trainer

    ms.set_context(mode=ms.GRAPH_MODE)
    source = create_dataset(
        "imagenet", root=str(folder), split="", shuffle=True, num_parallel_workers=2
    )
    transforms = create_transforms(
        "imagenet", is_training=True, image_resize=224, scale=(0.35, 1.0), hflip=0.5,
        color_jitter=0.2,
    )  # fmt: skip
    loader = create_loader(
        source, batch, drop_remainder=True, is_training=True, num_classes=CLASSES,
        transform=transforms, num_parallel_workers=2,
    )  # fmt: skip
    net = create_model(model, num_classes=CLASSES)
    optimizer = create_optimizer(
        net.trainable_params(), opt="momentum", lr=0.01, weight_decay=1e-4, momentum=0.9
    )
    trainer = create_trainer(
        net, create_loss("CE", label_smoothing=0.1), optimizer, metrics={}, amp_level="O0",
        amp_cast_list=None, loss_scale_type="fixed", loss_scale=1.0,
    )  # fmt: skip
    train = trainer._train_network.set_train()
    images, labels = next(loader.create_tuple_iterator(num_epochs=1))

    def step() -> int:
        for _ in range(steps):
            train(images, labels).asnumpy()
        return steps * batch

    def read() -> int:
        batches = loader.create_tuple_iterator(num_epochs=1, output_numpy=True)
        return sum(len(labels) for _, labels in batches)

    def together() -> int:
        trainer.train(1, loader, dataset_sink_mode=False)
        return loader.get_dataset_size() * batch

    return {"step": step, "data": read, "together": together}


def serve(side: str, model: str, folder: Path, batch: int, steps: int) -> None:
    """Answer a line `measure` with how many pictures it took, until the input ends."""
    make = zoohub_side if side == "zoohub" else mindcv_side
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what MindSpore prints is no answer
    measures = make(model, folder, batch, steps)
    for measure in MEASURES:
        measures[measure]()  # compiled, and all that is read once
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(measures[line.strip()](), file=out, flush=True)


class Side:
    """One side's process."""

    def __init__(self, name: str, *arguments: str, checkout: Path | None = None) -> None:
        own = (sys.executable, __file__)
        if checkout is not None:
            own = (str(checkout / ".venv/bin/python"),
                   str(checkout / "tests/benchmarks/bench_training.py"))  # fmt: skip
        command = [*own, "--serve", name, *arguments]
        environ = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )
        self.seconds, self.pictures = 0.0, 0
        if self._line() != "ready":
            raise SystemExit(f"{name} did not start")

    def begin(self, measure: str) -> None:
        """Have a measure wait for its first turn."""
        assert self.process.stdin is not None
        self.process.send_signal(signal.SIGSTOP)
        print(measure, file=self.process.stdin, flush=True)
        self.seconds, self.pictures = 0.0, 0

    def turn(self, most: float) -> bool:
        """Work for `most` seconds or to the end of the measure; whether that was it."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGCONT)
        done = bool(select.select([self.process.stdout], [], [], most)[0])
        if not done:
            self.process.send_signal(signal.SIGSTOP)
        self.seconds += time.perf_counter() - started
        if done:
            self.pictures = int(self._line())
        return done

    def end(self) -> None:
        """Stop the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def race(sides: list[Side], measure: str) -> list[float]:
    """Each side's images a second."""
    for side in sides:
        side.begin(measure)
    racing = list(sides)
    while racing:
        racing = [side for side in racing if not side.turn(TURN)]
    return [side.pictures / side.seconds for side in sides]


def compare(
    model: str, batch: int, pictures: int, rounds: int, steps: int, before: Path | None
) -> Iterator[dict[str, Any]]:
    """A row for each measure."""
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(Path(folder), pictures)
        said = (model, folder, str(batch), str(steps))
        sides = [Side("zoohub", *said)]
        if before is not None:
            sides.append(Side("zoohub", *said, checkout=before))
        elif is_here("mindcv"):
            sides.append(Side("mindcv", *said))
        found: dict[str, list[list[float]]] = {measure: [] for measure in MEASURES}
        for _ in range(rounds):
            for measure in MEASURES:
                found[measure].append(race(sides, measure))
        for side in sides:
            side.end()
    for measure in MEASURES:
        measured = found[measure]
        own, *others = (statistics.median(figures) for figures in zip(*measured, strict=True))
        row = {"model": model, "measure": measure, "batch": batch, "zoohub": round(own, 2)}
        for theirs in others:  # none or one
            ratios = sorted(mine / other for mine, other in measured)
            row["before" if before else "mindcv"] = round(theirs, 2)
            row["ratio"] = round(statistics.median(ratios), 3)
            row["ratios"] = [round(ratio, 3) for ratio in ratios]
        yield row


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pictures", type=int, default=96, help="of an epoch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="steps a round of `step`")
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="beside an older zoohub, not mindcv"
    )
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        side, model, folder, batch, steps = options.serve
        serve(side, model, Path(folder), int(batch), int(steps))
        return
    for model in options.models:
        size = (options.batch, options.pictures, options.rounds, options.steps)
        for row in compare(model, *size, options.before):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
