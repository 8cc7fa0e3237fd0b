"""Today's code gives what it gave when `record_truth.py` recorded it, bit for bit."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint import load_weights
from zoohub.training import finetune, load_run

pytest.importorskip("sklearn")
pytest.importorskip("pycocotools")

HERE = Path(__file__).parent
TRUTH = HERE.parent / "data" / "truth"
RECORDED = json.loads((TRUTH / "truth.json").read_text(encoding="utf-8"))
# Digests, and what follows from them: only where arithmetic is the recorder's.
EXACT_ONLY = ("weights", "texts", "drawn", "sha256", "size", "said", "text", "found", "table")
# What others of the scenarios cover too, or half of them does: minutes each, outside the gate.
APART = ("eager", "resumed", "scenes", "boxes", "coco")
SCENARIOS = [
    pytest.param(name, marks=pytest.mark.every if name in APART else ())
    for name in RECORDED
    if name != "canary"
]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_gives_what_it_gave(name: str, tmp_path: Path) -> None:
    """In a process of its own: MindSpore's mode is one's."""
    out = tmp_path / "today.json"
    command = [sys.executable, str(HERE / "record_truth.py"), str(out), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    today = json.loads(out.read_text(encoding="utf-8"))
    exact = today["canary"] == RECORDED["canary"]
    differences = list(compare(RECORDED[name], today[name], exact, name))
    assert not differences, "\n".join(differences[:10])


def compare(old: Any, new: Any, exact: bool, where: str) -> Any:
    """Where `new` is not `old`; elsewhere than on the recorder's machine only nearly."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if not exact and key in EXACT_ONLY:
                continue
            if key in old and key in new:
                yield from compare(old[key], new[key], exact, f"{where}.{key}")
            else:
                yield f"{where}.{key}: only {'new' if key in new else 'old'}"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from compare(one, other, exact, f"{where}[{place}]")
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield f"{where}:\n  {old}\n  {new}"
    elif isinstance(old, float) and isinstance(new, float) and not exact:
        if not math.isclose(old, new, rel_tol=1e-5, abs_tol=1e-5):
            yield f"{where}: {old} {new}"
    elif old != new and not (old != old and new != new):
        yield f"{where}: {old} {new}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classifier", "detector"])
def test_a_run_that_the_old_version_left_goes_on_to_its_end(name: str, tmp_path: Path) -> None:
    """Its recipe, its saved state and its history are read as they are."""
    expected = json.loads((TRUTH / "folders.json").read_text(encoding="utf-8"))[name]
    folder = Path(shutil.copytree(TRUTH / name, tmp_path / name))
    run = finetune(folder, resume=True)
    weights = load_weights(run.path / "weights.ckpt")
    for parameter, (first, middle, mean) in expected["sketch"].items():
        flat = np.asarray(weights[parameter], np.float64).reshape(-1)
        found = [flat[0], flat[len(flat) // 2], flat.mean()]
        np.testing.assert_allclose(found, [first, middle, mean], rtol=1e-5, atol=1e-5)
    known = {k: v for k, v in expected["metrics"].items() if isinstance(v, float)}
    assert {key: run.metrics[key] for key in known} == pytest.approx(known, abs=1e-5)


@pytest.mark.slow
def test_a_finished_run_of_the_old_version_loads_predicts_and_is_a_start() -> None:
    folder = TRUTH / "detector-finished"
    run = load_run(folder)
    assert run.net.zoohub.classes == tuple("0123456789")
    assert run.metrics["data"]["train"] == 24
    (prediction,) = zoohub.predict(folder, np.zeros((64, 64, 3), np.uint8), threshold=0.0001)
    assert prediction.error is None
    with pytest.raises(zoohub.errors.DataError, match=r"learns from pictures with boxes"):
        zoohub.evaluate(folder, TRUTH)
