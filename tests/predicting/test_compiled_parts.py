"""A network that is asked in parts, by name: a form of each part, made where it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.manifest.entry import InputContract
from zoohub.networks.families import find_family
from zoohub.outputs.reading import choose_reading
from zoohub.predicting.compiled_parts import LateRunner, part_runners
from zoohub.predicting.predictor import Predictor
from zoohub.running import CellRunner, Runner
from zoohub.running.runner import Inputs, Outputs
from zoohub.store import Store
from zoohub.store.maintenance import is_form, list_items
from zoohub.tasks.finding import find_task
from zoohub.tasks.text_recognition.stepwise import SEE, STEP, read_stepwise

pytest.importorskip("onnxruntime")

SENTENCES = [[3], [5, 6, 7], [9] * 20, [4, 5]]
PROGRAM = """
import sys
from zoohub.cli.main import main
code = main(sys.argv[1:])
print(code, [name for name in ("mindspore", "onnx", "onnxruntime") if name in sys.modules],
      file=sys.stderr)
"""


def run(*arguments: str) -> tuple[Any, str]:
    """What a command prints as JSON, and the last line of what it says."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "predict", *arguments, "--json"],
        env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return json.loads(done.stdout or "[]"), done.stderr.strip().splitlines()[-1]


def forms(home: Path) -> list[str]:
    """What the forms in a store are called."""
    found = [item for item in list_items(Store(home)) if is_form(item)]
    return sorted(name for item in found for name in item.names)


@pytest.mark.slow
def test_a_translator_is_compiled_part_by_part_and_then_runs_without_mindspore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mindspore

    home, file = tmp_path / "home", tmp_path / "own.ckpt"
    monkeypatch.setenv("ZOOHUB_HOME", str(home))
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 32, "vocab_size": 20}
    mindspore.save_checkpoint(zoohub.load("transformer_large", **sizes), str(file))
    rows = tmp_path / "ids.jsonl"
    rows.write_text("".join(f"{json.dumps(ids)}\n" for ids in SENTENCES))

    slow = zoohub.predict("transformer_large", SENTENCES, checkpoint=file, engine="mindspore")
    fast = zoohub.predict("transformer_large", SENTENCES, checkpoint=file)
    assert {one.engine for one in fast} == {"onnxruntime"}
    tokens = [list(one.predictions[0].tokens) for one in slow]
    assert [list(one.predictions[0].tokens) for one in fast] == tokens
    name = f"transformer_large with {file.name}"
    assert forms(home) == [f"{name} (encode) (compiled)", f"{name} (step) (compiled)"]

    again = ("transformer_large", str(rows), "--checkpoint", str(file))
    found, said = run(*again)
    assert said == "0 ['onnxruntime']"
    assert [row["predictions"][0]["tokens"] for row in found] == tokens

    for path in (home / "compiled").glob("*.json"):  # a part that is lost is made again, and what
        if "(step)" in path.read_text():  # is said of one that others wrote on
            path.unlink()
        else:
            path.write_text(path.read_text().replace(r"[\"encode\", \"step\"]", "[]"))
    found, said = run(*again)
    assert said == "0 ['mindspore', 'onnx', 'onnxruntime']"
    assert [row["predictions"][0]["tokens"] for row in found] == tokens
    assert run(*again)[1] == "0 ['onnxruntime']"


class Steps:
    """A `step` that reads one text after the other, and counts how often it is asked."""

    inputs = ("memory", "characters")
    engine = "mindspore"

    def __init__(self, texts: list[list[int]]) -> None:
        self.texts, self.asked = texts, 0

    def run(self, inputs: Inputs) -> Outputs:
        self.asked += 1
        place = inputs["characters"].shape[1] - 1
        assert [list(row[1:]) for row in inputs["characters"]] == [t[:place] for t in self.texts]
        found = np.full((len(self.texts), 4), 0.1, np.float32)
        for row, text in enumerate(self.texts):
            found[row, text[place]] = 0.7
        return {"probabilities": found}


def test_reading_stops_when_all_texts_are_at_their_ends() -> None:
    seen = {"memory": np.zeros((2, 3)), "blank": np.array([[0, 1, 1, 1, 1, 1]] * 2, np.int32)}
    step = Steps([[2, 1, 3, 0, 0], [2, 3, 1, 0, 0]])  # the first goes on behind its end, unread
    found = read_stepwise(seen, step)["characters"]
    assert step.asked == 3
    assert found.shape == (2, 5, 4)
    assert found.dtype == np.float32
    assert found.argmax(2).tolist() == [[2, 1, 3, 1, 1], [2, 3, 1, 1, 1]]
    assert found[:, 3:].max(2).tolist() == [[1, 1]] * 2
    endless = Steps([[2] * 5, [3] * 5])
    assert read_stepwise(seen, endless)["characters"].argmax(2).tolist() == endless.texts
    assert endless.asked == 5


def test_a_part_without_a_form_is_made_when_it_is_asked_and_not_before() -> None:
    made = []

    def make() -> Steps:
        made.append(1)
        return Steps([[2]])

    late = LateRunner(make)
    assert late.engine == "onnxruntime"
    assert not made
    assert late.inputs == Steps.inputs
    late.run({"memory": np.zeros((1, 3)), "characters": np.zeros((1, 1), np.int32)})
    assert made == [1]
    assert late.engine == "mindspore"  # what it turned out to be: its form could not be kept


def test_what_computes_is_mindspore_where_it_runs_any_part() -> None:
    task, step = find_task("scene-text-recognition"), Steps([])
    parts: dict[str, Runner] = {SEE: step, STEP: LateRunner(lambda: step)}
    read = choose_reading(())
    predictor = Predictor(task, parts[STEP], read, InputContract(), None, "onnxruntime")
    assert predictor.computing == "onnxruntime"
    assert replace(predictor, parts={STEP: parts[STEP]}).computing == "onnxruntime"
    assert replace(predictor, parts=parts).computing == "mindspore"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("builder", "arguments"),
    [
        ("master", {"num_classes": 12, "steps": 5, "stacks": 1, "intermediate_size": 32}),
        ("robustscanner", {"num_classes": 12, "steps": 5, "hidden_size": 16, "start": 10}),
        ("crnn_seq2seq_ocr", {"num_classes": 12, "steps": 8, "hidden": 16}),
    ],
)
def test_a_reader_asked_by_the_character_gives_what_it_gives_whole(
    builder: str, arguments: dict[str, int]
) -> None:
    family = find_family(builder)
    net = family.load()(**arguments).set_train(False)
    rng = np.random.default_rng(1)
    height, width = family.sides_of(arguments)
    images = rng.standard_normal((3, 3, height or 48, width or 96)).astype(np.float32)
    taken = {
        "image": images,
        "valid_width_mask": np.ones((3, 1, 24), np.int32),
        "word_positions": np.tile(np.arange(5, dtype=np.int32), (3, 1)),
    }
    given = {name: taken[name] for name in family.inputs}
    (whole,) = CellRunner(net, "pynative", inputs=family.inputs).run(given).values()
    for mode in ("pynative", "graph"):
        runners = part_runners(net, builder, mode)
        found = read_stepwise(runners[SEE].run(given), runners[STEP])["characters"]
        end = runners[SEE].run(given)["blank"][0, -1]
        for one, other in zip(found, whole, strict=True):
            ends = np.flatnonzero(other.argmax(1) == end)
            read = ends[0] + 1 if len(ends) else len(other)
            np.testing.assert_allclose(one[:read], other[:read], atol=1e-5)


def test_what_writes_text_token_by_token_stays_in_mindspore() -> None:
    for builder in ("gpt2", "t5", "llama"):
        assert not find_family(builder).compilable
    for builder in ("transformer", "faster_rcnn", "master", "robustscanner", "resnet"):
        assert find_family(builder).compilable
