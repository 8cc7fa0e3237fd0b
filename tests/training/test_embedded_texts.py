"""The text networks that come with zoohub, on texts that they have never seen."""

from __future__ import annotations

import csv
import importlib.util
import json
from importlib.resources import files
from pathlib import Path

import pytest

import zoohub
from zoohub import evaluate
from zoohub.cli.main import main
from zoohub.settings import Settings

HELD_OUT = Path(__file__).resolve().parents[1] / "data" / "held_out"
EMBEDDED = Path(str(files("zoohub"))) / "_data" / "embedded"


def stated(reference: str) -> dict[str, float]:
    """The figures that the index has of a checkpoint."""
    model, _, id = reference.partition("@")
    checkpoint = zoohub.info(model).checkpoint(id)
    assert checkpoint is not None
    return dict(checkpoint.metrics)


@pytest.mark.slow
def test_the_embedded_classifier_is_as_good_as_the_index_says(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    settings = Settings(home=tmp_path, offline=True)
    found = evaluate("textcnn@languages", HELD_OUT / "languages.csv", settings=settings)
    assert found["count"] > 4000
    assert 100 * found["acc"] == pytest.approx(stated("textcnn@languages")["acc"], abs=0.1)


@pytest.mark.slow
def test_the_embedded_translator_is_better_than_copying_and_a_dictionary() -> None:
    """On some short sentences; the index has the figures on all."""
    sacrebleu = pytest.importorskip("sacrebleu")
    rows = (HELD_OUT / "en-es.jsonl").read_text(encoding="utf-8").splitlines()
    short = [pair for pair in map(json.loads, rows) if len(pair["source"].split()) <= 8][:24]
    results = zoohub.predict(
        "transformer@en-es", [pair["source"] for pair in short], batch_size=24, offline=True
    )
    said = [result.predictions[0].text for result in results]
    wanted = [[pair["target"] for pair in short]]
    figures = stated("transformer@en-es")
    assert figures["bleu"] > 2 * figures["dictionary_bleu"] > 2 * figures["copying_bleu"]
    assert sacrebleu.corpus_bleu(said, wanted).score > figures["dictionary_bleu"]


@pytest.mark.slow
def test_what_ships_learns_other_classes_with_its_own_vocabulary(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with (HELD_OUT / "languages.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in ("de", "es", "fr", "pl")]
    for name, part in (("learnt", rows[::3]), ("new", rows[1::3])):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            lines = [(row["text"], f"in {row['label']}") for row in part]
            csv.writer(file).writerows([("text", "label"), *lines])
    settings = Settings(home=tmp_path, offline=True)
    data, run = tmp_path / "learnt.csv", tmp_path / "run"
    zoohub.finetune("textcnn@languages", data, epochs=4, output=run, settings=settings)
    recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
    assert "vocab: embedded:textcnn-languages.json" in recipe
    assert evaluate(str(run), tmp_path / "new.csv", settings=settings)["acc"] > 0.85


@pytest.mark.slow
def test_a_text_is_classified_and_translated_as_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if importlib.util.find_spec("tokenizers"):
        text = "Die Verbindung zum Server ist fehlgeschlagen."
        assert main(["predict", "textcnn@languages", "--text", text, "--offline", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row["predictions"][0]["label"] == "de"
    text = "The password is not correct."
    assert main(["predict", "transformer@en-es", "--text", text, "--offline", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert "contraseña" in row["predictions"][0]["text"]
    assert row["predictions"][0]["text"].endswith(".")  # as one writes it


def test_what_to_do_next_asks_for_no_vocabulary(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("textcnn@languages", "transformer@en-es"):
        assert main(["info", name]) == 0
        (line,) = [row for row in capsys.readouterr().out.splitlines() if "zoohub predict" in row]
        assert line.strip() == f"zoohub predict {name} sentences.txt"
