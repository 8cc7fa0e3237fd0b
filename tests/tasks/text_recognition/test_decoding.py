"""Classes at each step as text, equal to what MindOCR makes of the same arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.models.class_names import class_names
from zoohub.outputs.characters import (
    ABINET,
    CRNN_SEQ2SEQ,
    CTC,
    CTC_LOGITS,
    CTC_STEPS_FIRST,
    MASTER,
    RARE,
    ROBUST_SCANNER,
    VISION_LAN,
    TextReader,
)
from zoohub.tasks.text_recognition.decoding import read_texts
from zoohub.tasks.text_recognition.interpret import class_names_for

FILE = Path(__file__).parents[2] / "data" / "text_recognition" / "decoding.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
# In the order of the file: how each decoder is called here.
HOW: list[tuple[TextReader, str]] = [
    (CTC, "digits letters <blank>"),
    (CTC, "chinese <blank>"),
    (CTC, "<blank> chinese <space>"),
    (RARE, "<go> <stop> digits letters"),
    (MASTER, "<GO> <STOP> <PAD> ascii-90 <UNKNOWN>"),
    (ROBUST_SCANNER, "ascii-90 <UKN> <BOS/EOS> <PAD>"),
    (VISION_LAN, "<end> digits letters"),
]


def scores_of(case: dict[str, Any]) -> np.ndarray:
    """The array of the file's rule, and as the decoder was given it."""
    steps = np.array(case["seq"])
    rng = np.random.default_rng(case["seed"])
    scores = rng.random((*steps.shape, case["classes"])) * 0.5
    np.put_along_axis(
        scores, steps[..., None], np.take_along_axis(scores, steps[..., None], 2) + 1.5, 2
    )
    shares = (scores / scores.sum(-1, keepdims=True)).astype(np.float32)
    return np.log(shares) if "numpy.log" in case.get("input", "") else shares


@pytest.mark.parametrize(
    ("case", "how"), list(zip(CASES, HOW, strict=True)), ids=lambda v: v.get("decoder", "") if
    isinstance(v, dict) else "",
)  # fmt: skip
def test_texts_and_their_scores_are_mindocrs(
    case: dict[str, Any], how: tuple[TextReader, str]
) -> None:
    reader, classes = how
    form = reader({"characters": scores_of(case)}, (0, 0))
    found = read_texts(form, class_names(classes))
    assert [text for text, _ in found] == case["texts"]
    for (_, score), wanted in zip(found, case["confs"], strict=False):
        assert score == pytest.approx(wanted or 0.0, rel=1e-5)  # of no text it says NaN


def one_hot(steps: list[int], classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[None, steps]


def test_abinet_reads_up_to_its_end() -> None:
    form = ABINET({"characters": 9 * one_hot([3, 1, 2, 0, 5, 5], 37)}, (0, 0))
    ((text, score),) = read_texts(form, class_names("<end> letters digits-from-1"))
    assert text == "cab"
    assert 0.99 < score < 1


def test_a_class_that_no_character_has_is_written_as_nothing() -> None:
    names = class_names("<pad> <go> <end> <ukn> digits <unused*3> <space>")
    form = CRNN_SEQ2SEQ({"characters": one_hot([5, 14, 17, 6, 2, 7], len(names))}, (0, 0))
    assert read_texts(form, names) == [("1 2", 1.0)]


def test_logits_become_shares_and_steps_may_come_first() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    rows = CTC_LOGITS({"characters": logits}, (0, 0)).probabilities
    np.testing.assert_allclose(rows.sum(-1), 1, rtol=1e-6)
    turned = CTC_STEPS_FIRST({"x": logits.transpose(1, 0, 2)}, (0, 0)).probabilities
    np.testing.assert_allclose(turned, rows)


def test_what_is_no_table_of_steps_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(N, steps, classes\)"):
        CTC({"characters": np.zeros((2, 3), np.float32)}, (0, 0))
    with pytest.raises(DataError, match="not finite"):
        read_texts(CTC({"characters": np.full((1, 2, 3), np.nan)}, (0, 0)), ("a", "b", "<blank>"))
    form = CTC({"characters": np.zeros((1, 2, 3), np.float32)}, (0, 0))
    with pytest.raises(DataError, match=r"3 classes stand for is not known: give .*--vocab"):
        class_names_for(form, (), None)
    with pytest.raises(DataError, match="gives 3 classes but 2 class names"):
        class_names_for(form, (), ("a", "<blank>"))
