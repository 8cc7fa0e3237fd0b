"""What recognisers learn by: the losses on tiny cases, and a few rendered words."""

from __future__ import annotations

import json
from itertools import groupby, product
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from PIL import Image, ImageDraw

import zoohub
from zoohub.errors import DataError, RecipeError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.layers.ctc import CTCLoss
from zoohub.networks.rare.loss import TaughtCrossEntropy
from zoohub.networks.rare.network import Reader
from zoohub.outputs.characters import CTC, RARE
from zoohub.tasks.samples import Samples, Splits, none
from zoohub.tasks.text_recognition.fitting import classes_to_learn, fitted_words
from zoohub.tasks.text_recognition.labels import Word
from zoohub.tasks.text_recognition.task import TASK
from zoohub.training import finetune


def brute_force(logits: np.ndarray, label: tuple[int, ...], blank: int) -> float:
    """-log of the probability of all paths (steps, classes) that read as `label`."""
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    total = 0.0
    for path in product(range(logits.shape[1]), repeat=len(logits)):
        if tuple(c for c, _ in groupby(path) if c != blank) == label:
            total += float(np.prod([shares[t, c] for t, c in enumerate(path)]))
    return -np.log(total)


@pytest.mark.parametrize("blank", [0, 1, 3])
@pytest.mark.parametrize("steps_first", [True, False])
def test_ctc_is_the_sum_over_all_paths(blank: int, *, steps_first: bool) -> None:
    logits = np.random.default_rng(blank).standard_normal((2, 5, 4)).astype(np.float32)
    others = [c for c in range(4) if c != blank]
    texts = [(others[0], others[0]), (others[2], others[1], others[0])]
    labels = np.full((2, 3), -1, np.int32)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = [c - (c > blank) for c in text]
    found = CTCLoss(steps_first=steps_first)(
        Tensor(logits.transpose(1, 0, 2) if steps_first else logits),
        Tensor(labels), Tensor(np.array([2, 3], np.int32)), Tensor(np.full(2, blank, np.int32)),
    )  # fmt: skip
    each = [brute_force(rows, text, blank) for rows, text in zip(logits, texts, strict=True)]
    wanted = np.mean([loss / len(text) for loss, text in zip(each, texts, strict=True)])
    assert float(found.asnumpy()) == pytest.approx(wanted, rel=1e-5)


def test_a_text_too_long_for_its_steps_counts_nothing() -> None:
    logits = Tensor(np.zeros((2, 2, 3), np.float32))
    labels = Tensor(np.array([[0, 0], [0, 1]], np.int32))  # the same twice takes three steps
    numbers = (Tensor(np.array([2, 2], np.int32)), Tensor(np.array([2, 2], np.int32)))
    loss, gradient = ms.value_and_grad(CTCLoss())(logits, labels, *numbers)
    assert float(loss.asnumpy()) == pytest.approx(
        np.log(9) / 2 / 2, rel=1e-5
    )  # one path of nine, two texts
    assert not gradient.asnumpy()[:, 0].any()
    assert np.isfinite(gradient.asnumpy()).all()


@pytest.mark.slow
def test_rare_taught_what_it_reads_itself_computes_the_same() -> None:
    ms.set_seed(0)
    reader = Reader(channels=8, hidden=6, num_classes=5, steps=4)
    columns = Tensor(np.random.default_rng(0).standard_normal((7, 2, 8)).astype(np.float32))
    own = reader(columns).asnumpy()
    read = own.argmax(2).astype(np.int32)
    logits = reader.taught(columns, Tensor(read)).asnumpy()
    shares = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    np.testing.assert_allclose(shares, own, atol=1e-6)
    labels = read.copy()
    labels[1, 2:] = -1  # behind its end
    unused = Tensor(np.zeros(2, np.int32))
    loss = TaughtCrossEntropy(reader)(columns, Tensor(labels), unused, unused)
    likely = np.log(own.max(2))
    wanted = -(likely[0].sum() + likely[1, :2].sum()) / 6
    assert float(loss.asnumpy()) == pytest.approx(wanted, rel=1e-5)


def splits_of(*texts: str) -> Splits[Word]:
    names = [f"{number}.png" for number in range(len(texts))]
    samples = Samples(names, [Word(text) for text in texts], names)
    return Splits(tuple(sorted(set("".join(texts)))), samples, none(), none())


def test_the_head_stays_where_it_knows_the_texts() -> None:
    known = ("a", "b", "c", "<blank>")
    assert classes_to_learn(("A", "b"), known, CTC, given=False) == known
    assert classes_to_learn(("b", "d"), known, CTC, given=False) == ("b", "d", "<blank>")
    assert classes_to_learn(("a", "b"), known, CTC, given=True) == ("a", "b", "<blank>")
    assert classes_to_learn(("a",), None, RARE, given=False) == ("<go>", "<stop>", "a")


def test_texts_become_classes_and_those_that_cannot_are_left_out() -> None:
    fitted = fitted_words(splits_of("ab", "ba", "axb"), ("<blank>", "a", "b"), CTC)
    assert [(word.ids, word.blank) for word in fitted.train.targets] == [((0, 1), 0), ((1, 0), 0)]
    assert "'axb': the dictionary has no 'x'" in fitted.skipped["2.png"]
    taught = fitted_words(splits_of("ab"), ("<go>", "<stop>", "a", "b"), RARE)
    assert taught.train.targets[0].ids == (2, 3, 1)
    with pytest.raises(RecipeError, match="no text can be learnt: 'xy'"):
        fitted_words(splits_of("xy"), ("a", "<blank>"), CTC)


def test_networks_without_a_loss_are_refused() -> None:
    TASK.check_network(NetworkSpec("crnn"), zoohub.info("crnn_resnet34").input)
    with pytest.raises(DataError, match="is read as text is not known"):
        TASK.check_network(NetworkSpec("unet"))


def rendered(folder: Path, letters: str) -> Path:
    folder.mkdir()
    lines = []
    for number in range(24):
        text = "".join(letters[number // 3**place % 3] for place in range(3))
        picture = Image.new("RGB", (48, 16), "white")
        ImageDraw.Draw(picture).text((6, 2), text, fill="black")
        picture.save(folder / f"{number}.png")
        lines.append(f"{number}.png\t{text}\n")
    (folder / "gt.txt").write_text("".join(lines))
    return folder


RECIPE = """
task: scene-text-recognition
model: own
network: {{builder: {network}}}
input: {{size: [32, 96], value_range: 0..255, mean: [127, 127, 127], std: [127, 127, 127],
        resize: stretch}}
data: {{kind: lines, path: {data}, validation: 0.25}}
optimizer: {{name: adamw, lr: 0.003, clip: 5.0}}
epochs: {epochs}
batch_size: 6
mode: pynative
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    ["crnn, arguments: {backbone: vgg7, hidden: 16, width: 0.125}",
     "rare, arguments: {hidden: 16, neck_hidden: 16, steps: 5, width: 0.125}"],
    ids=["crnn", "rare"],
)  # fmt: skip
def test_the_loss_falls_and_other_letters_get_a_head_of_their_own(
    tmp_path: Path, network: str
) -> None:
    data = rendered(tmp_path / "one", "abc")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(network=network, data=data, epochs=4))
    run = finetune(recipe, output=tmp_path / "run")
    history = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in history]
    assert losses[-1] < losses[0] * (0.8 if network.startswith("crnn") else 0.95)
    classes = json.loads((run.path / "run.json").read_text())["classes"]
    assert [name for name in classes if len(name) == 1] == ["a", "b", "c"]
    (found,) = zoohub.predict(run.path, data / "0.png", engine="mindspore")
    assert set(found.predictions[0].to_json()) == {"text", "score"}
    if network.startswith("rare"):
        return
    said: list[str] = []
    other = finetune(
        str(run.path), rendered(tmp_path / "two", "xyz"), output=tmp_path / "other", epochs=1,
        assignments=["mode=pynative"], say=said.append,
    )  # fmt: skip
    assert any("a new head for" in text for text in said)
    assert json.loads((other.path / "run.json").read_text())["classes"] != classes
