"""The tool that makes the texts which the shipped text networks learn from."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "recipes" / "home_assistant_texts.py"
ENGLISH = {
    "a": "The battery is low. Charge it now.",
    "b": "The device is already configured",
    "c": "The service is already configured",  # nearly b
    "d": "Stop the music in the living room",
    "e": "Stop the music in the sleeping room",  # nearly d
    "f": "Set {name} to on",
    "g": "Off",
}
SPANISH = {
    "a": "La batería está baja. Cárgala ahora.",
    "b": "El dispositivo ya está configurado",
    "c": "El servicio ya está configurado",
    "d": "Detiene la música de la sala",
    "e": "Para el sonido del dormitorio",
    "f": "Enciende {name}",
    "g": "Off",
}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("home_assistant_texts", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module


def wheel(path: Path, **languages: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as files:
        for name, texts in languages.items():
            where = f"homeassistant/components/toy/translations/{name}.json"
            files.writestr(where, json.dumps({"config": texts}))
    return path


def test_texts_are_parted_into_sentences_and_what_is_marked_or_untranslated_is_left_out(
    tool: ModuleType, tmp_path: Path
) -> None:
    rows = tool.catalogue(wheel(tmp_path / "toy.whl", en=ENGLISH, es=SPANISH))
    assert {"en": "The battery is low.", "es": "La batería está baja."} in rows
    assert {"en": "Charge it now.", "es": "Cárgala ahora."} in rows
    assert {"en": "Off"} in rows
    assert not [row for row in rows if "{" in row["en"]]


def test_sentences_with_a_template_in_common_are_of_one_part(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "part_by_hash", lambda first: first)
    rows = tool.catalogue(wheel(tmp_path / "toy.whl", en=ENGLISH, es=SPANISH))
    part = {text.languages["en"]: text.part for text in tool.parted(rows)}
    assert part[ENGLISH["b"]] == part[ENGLISH["c"]]
    assert part[ENGLISH["d"]] == part[ENGLISH["e"]]
    assert len(set(part.values())) == 5


def test_what_is_alike_is_alike_by_its_words_alone(tool: ModuleType) -> None:
    texts = [
        tool.words(text)
        for text in (
            "Set the speed of fan 1.",
            "set the speed of fan 22",  # the same but for a number
            "The speed of the fan is set",  # three fifths of all words
            "Open the door of the garage",
            "Open the garage door",
            "Speed of fan",  # too short to be like another
        )
    ]
    one, same, shared, door, garage, short = tool.groups(texts)
    assert one == same
    assert one == shared
    assert door == garage
    assert len({one, door, short}) == 3


def test_both_data_sets_are_written_the_same_each_time(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("sentencepiece")
    nouns = ("kitchen", "garden", "window", "attic", "cellar", "garage", "hall", "office")
    verbs = ("open", "close", "paint", "clean", "leave", "enter", "light", "warm")
    english = {
        f"{noun}{verb}": f"{verb} {noun} {verb}{number} {noun}{number} {number}x {noun}{verb}"
        for number, (noun, verb) in enumerate((n, v) for n in nouns for v in verbs)
    }
    spanish = {key: text.replace("e", "ie").replace("a", "á") for key, text in english.items()}
    file = wheel(tmp_path / "toy.whl", en=english, es=spanish)
    monkeypatch.setattr(tool, "PIECES", {"languages": 150, "en-es": 150})
    for name in ("one", "two"):
        tool.main(str(file), str(tmp_path / name))
    one = {p.relative_to(tmp_path / "one"): p.read_bytes() for p in tmp_path.rglob("one/**/*.*")}
    assert len(one) == 9
    for path, content in one.items():
        assert (tmp_path / "two" / path).read_bytes() == content
    with (tmp_path / "one" / "languages" / "texts.csv").open(encoding="utf-8") as rows:
        labels = {row["label"] for row in csv.DictReader(rows)}
    assert labels == {"en", "es"}
