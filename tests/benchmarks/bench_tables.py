"""TableMaster, a picture of 480×480: its tokens read one by one, beside all again for each.

    python tests/benchmarks/bench_tables.py [--steps 501] [--only parts|whole]
        [--mode graph|pynative]

Weights are random, and no picture has its end before the last step. `parts` is what `predict`
does: the picture is seen once and each token read once; `whole` is the network as MindOCR has it,
whose time grows with the square of the steps. Seconds of one run each; graphs of parts are compiled
before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import numpy as np

import zoohub
from zoohub.networks.families import find_family
from zoohub.outputs.table_tokens import END
from zoohub.running import CellRunner
from zoohub.running.runner import Array
from zoohub.tasks.table_recognition.reading import NEXT, SEE, read_tables


class Endless:
    """A runner that never gives the end."""

    def __init__(self, runner: CellRunner) -> None:
        self.inputs, self._runner = runner.inputs, runner

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        found = dict(self._runner.run(inputs))
        found["probabilities"] = found["probabilities"].copy()
        found["probabilities"][:, END] = 0
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=501)
    parser.add_argument("--only", choices=("parts", "whole"))
    parser.add_argument("--mode", choices=("graph", "pynative"), default="pynative")
    options = parser.parse_args()
    net = zoohub.load("table_master", steps=options.steps)
    image = np.random.default_rng(0).standard_normal((1, 3, 480, 480)).astype(np.float32)
    family = find_family("table_master")
    if options.only != "whole":
        see, following = (
            CellRunner(part.net, options.mode, inputs=[t.name for t in part.inputs],
                       outputs=part.outputs)
            for name, part in family.parts_of(net).items() if name in (SEE, NEXT)
        )  # fmt: skip
        started = time.perf_counter()
        seen = see.run({"image": image})["seen"]
        print(f"see: {time.perf_counter() - started:.1f} s (compiled with it)")
        past = np.zeros((*seen.shape[:3], 64, seen.shape[4]), np.float32)
        one = np.ones((1, 1), np.int32)
        following.run({"ids": one, "counts": one[0], "past": past, "seen": seen})
        started = time.perf_counter()
        found = read_tables(see, Endless(following), image)
        assert found["tokens"].shape[1] == options.steps
        print(f"parts: {time.perf_counter() - started:.1f} s for {options.steps} steps")
    if options.only != "parts":
        whole = CellRunner(net, options.mode, inputs=family.inputs, outputs=family.raw)
        started = time.perf_counter()
        whole.run({"image": image})
        print(f"whole: {time.perf_counter() - started:.1f} s for {options.steps} steps")


if __name__ == "__main__":
    main()
