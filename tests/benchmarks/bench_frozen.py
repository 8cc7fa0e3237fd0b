"""Training a head over a frozen ResNet-50: zoohub's `--freeze backbone` beside mindcv's way.

    python tests/benchmarks/bench_frozen.py [--size 64] [--pictures 1000] [--epochs 10]
        [--mindcv-epochs 10] [--mindcv-pictures 1000] [--mindcv-python PYTHON] [--work DIR]

Pictures are scikit-learn's digits (8x8, drawn larger into PNG files): the first of each class to
train on, the last 30 of each held out. The weights are random, with batch statistics of digits, as
no published file is at hand: both sides start from the same ones, keep all but `classifier` as it
is, take the same optimiser and learning rate, and change no picture at random. Each side is a whole
process, which trains and then measures; the time of training is the process's without the
measuring, of which both do the same and keep nothing. mindcv may be given fewer epochs, and fewer
pictures: its time for all is then what its process took without them and its first epoch above the
others (it compiles), and the others' multiplied. Accuracies are of the held-out pictures, by the
network each side leaves; that of a mindcv which was given less is none to compare. At 224, as
ResNet-50 is published, computing counts; at 64 what both sides do once.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import zoohub

CLASSES, HELD_OUT, BATCH, RATE = 10, 30, 32, 0.02
MODEL = "resnet50"

ZOOHUB = """
import time
started = time.perf_counter()
import json, sys, zoohub
from zoohub.training import memory, recorded, run_folder
from zoohub.training.frozen import features
import mindspore, onnxruntime
spent = {"imports": time.perf_counter() - started}

def clock(place, name, title):
    whole = getattr(place, name)
    def timed(*given, **named):
        began = time.perf_counter()
        try:
            return whole(*given, **named)
        finally:
            spent[title] = spent.get(title, 0) + time.perf_counter() - began
    setattr(place, name, timed)

clock(features, "_compiled", "form")
clock(features.Features, "of", "features")
clock(memory, "run_epochs", "epochs")
clock(run_folder.RunFolder, "write_weights", "weights")
clock(run_folder.RunFolder, "write_safetensors", "weights")
clock(recorded, "finish", "finish")
run, train, held, output, epochs, batch, rate = sys.argv[1:]
done = zoohub.finetune(
    run, train, freeze="backbone", output=output, epochs=int(epochs), batch_size=int(batch),
    lr=float(rate), say=lambda text: print(text, file=sys.stderr),
    assignments=["optimizer.name=sgd", "optimizer.weight_decay=0", "schedule.name=constant",
                 "schedule.warmup=0", "label_smoothing=0", "data.validation=0", "keep=last"],
)
spent["trained"] = time.perf_counter() - started
began = time.perf_counter()
top1 = zoohub.evaluate(done.path, held)["top1"]
print(json.dumps({"top1": top1, "measuring": time.perf_counter() - began, "spent": spent}))
"""
MINDCV = """
import json, sys, time
import mindspore as ms
from mindcv.data import create_dataset, create_loader, create_transforms
from mindcv.loss import create_loss
from mindcv.models import create_model
from mindcv.optim import create_optimizer
weights, train, held, size, epochs, batch, rate = sys.argv[1:]
ms.set_context(mode=ms.GRAPH_MODE)
ms.set_seed(0)
size, batch, epochs = int(size), int(batch), int(epochs)
net = create_model("resnet50", num_classes=10)
known = ms.load_checkpoint(weights)
ms.load_param_into_net(net, {k: v for k, v in known.items() if not k.startswith("classifier")})
for parameter in net.get_parameters():
    parameter.requires_grad = parameter.name.startswith("classifier")

def load(folder, training):
    data = create_dataset(
        "imagenet", root=folder, split="", num_parallel_workers=2, shuffle=training
    )
    transform = create_transforms(
        "imagenet", image_resize=size, is_training=False, crop_pct=1.0, interpolation="bilinear"
    )
    return create_loader(data, batch, drop_remainder=training, transform=transform,
                         num_parallel_workers=2)

loss = create_loss("CE")
rates = create_optimizer(net.trainable_params(), opt="momentum", lr=float(rate), momentum=0.9)
step = ms.nn.TrainOneStepCell(ms.nn.WithLossCell(net, loss), rates)
step.set_train(True)
seconds = []
for _ in range(epochs):
    began = time.perf_counter()
    for images, labels in load(train, True):
        step(images, labels)
    seconds.append(time.perf_counter() - began)
began = time.perf_counter()
net.set_train(False)
right = count = 0
for images, labels in load(held, False):
    right += int((net(images).asnumpy().argmax(1) == labels.asnumpy()).sum())
    count += len(labels)
measuring = time.perf_counter() - began
print(json.dumps({"top1": right / count, "epochs": seconds, "measuring": measuring}))
"""


def make_pictures(folder: Path, count: int, size: int) -> tuple[Path, Path]:
    """Folders a class of `count` digits to train on, and of those held out."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in range(CLASSES):
        images = digits.images[digits.target == label]
        parts = {"train": images[: count // CLASSES], "held": images[-HELD_OUT:]}
        for part, chosen in parts.items():
            (folder / part / str(label)).mkdir(parents=True, exist_ok=True)
            for place, image in enumerate(chosen):
                small = Image.fromarray((image * 15.9).astype("uint8")).convert("RGB")
                large = small.resize((size, size), Image.Resampling.BICUBIC)
                large.save(folder / part / str(label) / f"{place:03}.png")
    return folder / "train", folder / "held"


def make_run(folder: Path, size: int, pictures: Path) -> Path:
    """A run's folder of the network with random weights, and batch statistics of the pictures."""
    import mindspore as ms
    import numpy as np

    from zoohub.core.hashing import hash_file
    from zoohub.framework import installed_mindspore
    from zoohub.inputs.picture import Transform
    from zoohub.models.runs import RunFacts, run_document

    folder.mkdir(parents=True, exist_ok=True)
    ms.set_seed(0)
    entry = zoohub.info(MODEL)
    checkpoint = next(c for c in entry.checkpoints if c.id == "mindcv")
    assert checkpoint.network is not None
    assert checkpoint.input is not None
    net = zoohub.load(f"{MODEL}@mindcv").set_train(True)
    contract = replace(checkpoint.input, size=(size, size), crop=1.0)
    transform = Transform(contract)
    files = sorted(pictures.rglob("*.png"))
    files = files[:: max(1, len(files) // 96)][:96]
    for start in range(0, len(files), BATCH):
        net(ms.Tensor(np.stack([transform(file) for file in files[start : start + BATCH]])))
    ms.save_checkpoint(net, str(folder / "weights.ckpt"))
    found = hash_file(folder / "weights.ckpt")
    facts = RunFacts(
        MODEL, entry.task, entry, None, checkpoint.network, contract,
        tuple(f"class {i}" for i in range(1000)), found.sha256, found.size, "random",
        installed_mindspore() or "", {}, (),
    )  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run_document(facts)))
    return folder


def timed(python: str, program: str, *arguments: object, home: Path) -> tuple[float, dict]:
    """Seconds of a whole process, and what it printed last."""
    began = time.perf_counter()
    done = subprocess.run(
        [python, "-c", program, *map(str, arguments)], capture_output=True, text=True,
        check=False, env={**os.environ, "ZOOHUB_HOME": str(home)},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    print(done.stderr[-400:], file=sys.stderr)
    return time.perf_counter() - began, json.loads(done.stdout.strip().splitlines()[-1])


def breakdown(spent: dict[str, float], training: float) -> str:
    """Where the seconds of training went; `form` is the network made ready for onnxruntime, and
    checked, and `end` what the process takes to begin and to go."""
    parts = {
        "imports": spent["imports"],
        "form": spent["form"],
        "features": spent["features"] - spent["form"],
        "epochs": spent["epochs"],
        "weights and finish": spent["finish"],
    }
    parts["the rest"] = spent["trained"] - sum(parts.values())
    parts["end"] = training - spent["trained"]
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
    return f"  of it: {told}; writing weights {spent['weights']:.1f} in epochs and finish"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("bench-frozen"))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--mindcv-epochs", type=int, default=10)
    parser.add_argument("--mindcv-pictures", type=int, help="of the pictures; all by default")
    parser.add_argument("--mindcv-python", default=sys.executable)
    options = parser.parse_args()
    work = options.work.resolve() / str(options.size)
    train, held = make_pictures(work / "data", options.pictures, options.size)
    run = work / "start"
    if not (run / "run.json").is_file():
        make_run(run, options.size, train)
    shutil.rmtree(work / "trained", ignore_errors=True)
    # As pip does with what it installs, the other side too.
    compileall.compile_dir(str(Path(zoohub.__file__).parent), quiet=1)
    own, found = timed(
        sys.executable, ZOOHUB, run, train, held, work / "trained", options.epochs, BATCH, RATE,
        home=work / "home",
    )  # fmt: skip
    training = own - found["measuring"]
    print(f"zoohub: {own:.1f} s, of training {training:.1f}, top-1 {found['top1']:.4f}", flush=True)
    print(breakdown(found["spent"], training), flush=True)
    if options.mindcv_epochs:
        count = options.mindcv_pictures or options.pictures
        part = train
        if count != options.pictures:
            part, _ = make_pictures(work / f"data-{count}", count, options.size)
        other, said = timed(
            options.mindcv_python, MINDCV, run / "weights.ckpt", part, held, options.size,
            options.mindcv_epochs, BATCH, RATE, home=work / "home",
        )  # fmt: skip
        first, *rest = said["epochs"]
        later = sum(rest) / len(rest) if rest else first
        once = other - sum(said["epochs"]) + first - later
        # An epoch leaves out what does not fill a batch.
        whole = once + options.epochs * later * (options.pictures // BATCH) / (count // BATCH)
        trained = whole - said["measuring"]
        print(f"mindcv: {whole:.1f} s, of training {trained:.1f} ({options.mindcv_epochs} epochs "
              f"of {count} pictures in {other:.1f} s), top-1 {said['top1']:.4f}; "
              f"{whole / own:.1f} times zoohub's, of training {trained / training:.1f}"
              )  # fmt: skip


if __name__ == "__main__":
    main()
