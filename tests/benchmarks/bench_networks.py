"""zoohub's networks beside mindcv 0.3.0's of the same name, on the same MindSpore.

    python tests/benchmarks/bench_networks.py [MODEL…] [--batch 4] [--rounds 7] [--json]

Each model has a process, in which both networks hold the same weights and take turns, in graph
mode, on the same pictures of 224 pixels: `forward` in evaluation, `step` a training step with
cross-entropy and momentum SGD, the same function around either network. A turn lasts `--seconds`
and at least one call; figures are seconds a call, medians over the rounds, and `ratio` is mindcv's
over zoohub's, the median of the rounds' own (above 1, zoohub is faster). The same is said of the
processor's time (`cpu`), which is the one to look at where a machine has other work. `differs` is
the largest relative difference of the logits, which shows that both compute the same; 1 and more
means that mindcv's parameters have other names, and each side has its own weights.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from peers import is_here

MODELS = (
    "resnet50",
    "resnext50_32x4d",  # grouped convolutions
    "densenet121",  # concatenation
    "mobilenet_v3_large_100",  # depthwise, squeeze and excitation
    "shufflenet_v2_x1_0",  # channel shuffle
    "mixnet_s",  # kernels of several sizes
    "res2net50",  # branches within a block
    "vit_b_32_224",  # attention
    "swin_tiny",  # attention in windows
    "convnext_tiny",  # layer norm, wide depthwise kernels
    "pvt_v2_b0",  # attention over fewer keys
    "poolformer_s12",  # pooling in attention's place
)
SIDES = ("zoohub", "mindcv")


def zoohub_network(model: str) -> Any:
    from zoohub.manifest.opening import open_index
    from zoohub.networks.loading import build
    from zoohub.settings import load_settings

    spec = open_index(load_settings()).resolve(model).checkpoint.network
    assert spec is not None, f"no network for {model}"
    return build(spec)


def mindcv_network(model: str) -> Any:
    from mindcv.models import create_model

    return create_model(model)


def same_weights(zoohub: Any, mindcv: Any) -> None:
    """Give zoohub's network mindcv's weights, where the names are the same."""
    values = {p.name: p for p in mindcv.get_parameters()}
    own = list(zoohub.get_parameters())
    if {(p.name, p.shape) for p in own} == {(p.name, p.shape) for p in values.values()}:
        for parameter in own:
            parameter.set_data(values[parameter.name].value())


def step_of(net: Any, pictures: Any, labels: Any) -> Callable[[], None]:
    """A training step around any network."""
    from mindspore import nn

    loss = nn.WithLossCell(net, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
    step = nn.TrainOneStepCell(loss, nn.Momentum(net.trainable_params(), 1e-4, 0.9))
    step.set_train()

    def run() -> None:
        step(pictures, labels).asnumpy()

    return run


def turns(sides: dict[str, Callable[[], None]], rounds: int, seconds: float) -> dict[str, float]:
    """Seconds a call of each side, by the clock and of the processor, medians, and the ratios."""
    clock: dict[str, list[float]] = {side: [] for side in sides}
    cpu: dict[str, list[float]] = {side: [] for side in sides}
    for run in sides.values():  # compiles
        run()
        run()
    for number in range(rounds):
        for side in SIDES if number % 2 else reversed(SIDES):
            start, spent, calls = time.perf_counter(), time.process_time(), 0
            while not calls or time.perf_counter() - start < seconds:
                sides[side]()
                calls += 1
            clock[side].append((time.perf_counter() - start) / calls)
            cpu[side].append((time.process_time() - spent) / calls)
    return {
        **{f"{side}_s": statistics.median(times) for side, times in clock.items()},
        **{f"{side}_cpu": statistics.median(times) for side, times in cpu.items()},
        "ratio": ratio(clock),
        "ratio_cpu": ratio(cpu),
    }


def ratio(found: dict[str, list[float]]) -> float:
    """mindcv's over zoohub's, the median of the rounds' own."""
    return statistics.median(m / z for z, m in zip(found["zoohub"], found["mindcv"], strict=True))


def work(model: str, batch: int, rounds: int, seconds: float) -> dict[str, Any]:
    """All figures of one model, in this process."""
    import mindspore as ms
    import numpy as np

    ms.set_context(mode=ms.GRAPH_MODE)
    ms.set_seed(0)
    nets = {"zoohub": zoohub_network(model), "mindcv": mindcv_network(model)}
    same_weights(nets["zoohub"], nets["mindcv"])
    random = np.random.default_rng(0)
    pictures = ms.Tensor(random.normal(size=(batch, 3, 224, 224)).astype(np.float32))
    labels = ms.Tensor(random.integers(0, 1000, batch).astype(np.int32))
    for net in nets.values():
        net.set_train(False)
    own, theirs = (nets[side](pictures).asnumpy() for side in SIDES)

    def forward(net: Any) -> Callable[[], None]:
        return lambda: net(pictures).asnumpy()

    return {
        "model": model,
        "differs": float(np.abs(own - theirs).max() / np.abs(theirs).max()),
        "forward": turns({side: forward(nets[side]) for side in SIDES}, rounds, seconds),
        "step": turns(
            {side: step_of(nets[side], pictures, labels) for side in SIDES}, rounds, seconds
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    figures = (options.batch, options.rounds, options.seconds)
    if options.worker:
        print(json.dumps(work(options.models[0], *figures)))
        return
    if not is_here("mindcv"):
        return
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "GLOG_v": "3"}
    for model in options.models:
        command = [sys.executable, __file__, model, "--worker"]
        command += [f"--batch={figures[0]}", f"--rounds={figures[1]}", f"--seconds={figures[2]}"]
        done = subprocess.run(command, check=True, env=environment, stdout=-1, text=True)
        found = json.loads(done.stdout.strip().splitlines()[-1])
        if options.json:
            print(json.dumps(found), flush=True)
            continue
        print(f"{model:24} differs {found['differs']:.0e}", end="")
        for measure in ("forward", "step"):
            part = found[measure]
            print(
                f"  {measure} {part['zoohub_s']:7.4f} s, mindcv {part['mindcv_s']:7.4f} s:"
                f" {part['ratio']:5.2f} (cpu {part['ratio_cpu']:5.2f})",
                end="",
            )
        print(flush=True)


if __name__ == "__main__":
    main()
