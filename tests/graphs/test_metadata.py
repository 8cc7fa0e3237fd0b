from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.graphs.metadata import Metadata, read_metadata
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.outputs.box_decoding import BoxDecoding, Level

FULL = Metadata(
    model="resnet50",
    task="image-classification",
    family="resnet",
    checkpoint="resnet50@mindcv",
    sha256="ab" * 32,
    input=InputContract(
        size=(224, 224),
        mean=(0.1, 0.2, 0.3),
        std=(1.0, 1.0, 1.0),
        crop=0.875,
        text=TextContract(max_length=128, start_id=1, vocabulary="a file"),
    ),
    classes=("Katze", "犬"),
    inputs=("ids", "mask"),
    outputs=("logits",),
    licence="Apache-2.0",
    dataset="imagenet2012",
    dataset_terms="non-commercial research",
    parameters="own",
    note="a note",
    decoding=BoxDecoding((Level(8.0, ((10.0, 13.0), (16.0, 30.0)), 2.0),), "squared", 1),
    confidence=0.25,
    whole="a" * 64,
    parts=("encode", "step"),
    part="step",
)


def test_every_field_survives_as_strings() -> None:
    assert all(getattr(FULL, field.name) for field in dataclasses.fields(FULL))
    strings = FULL.to_strings()
    assert all(isinstance(value, str) for value in strings.values())
    assert Metadata.from_strings(strings) == FULL


def test_unknown_facts_are_not_written() -> None:
    assert set(Metadata().to_strings()) == {"zoohub.outputs", "zoohub.writer"}


def test_keys_of_others_and_of_a_newer_zoohub_are_left_aside() -> None:
    strings = {**FULL.to_strings(), "format": "np", "zoohub.colour": "blue"}
    strings["zoohub.input"] = strings["zoohub.input"].replace('"size"', '"later": 1, "size"')
    assert Metadata.from_strings(strings) == FULL


@pytest.mark.parametrize("text", ["{", "[1]", '{"size": ', "7"])
def test_a_damaged_field_is_an_error_and_no_crash(text: str) -> None:
    for field in ("input", "decoding"):
        with pytest.raises(DataError, match="metadata cannot be read"):
            Metadata.from_strings({f"zoohub.{field}": text})


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("input", '{"size": "big"}', r"input\.size: must be \[height, width\]"),
        ("input", '{"size": [1000000000, 1000000000]}', r"input\.size: must be"),
        ("input", '{"mean": ["a"]}', r"input\.mean\.0: must be a finite number"),
        ("input", '{"resize": ["crop"]}', r"input\.resize: must be one of"),
        ("input", '{"line": {"multiple": 0}}', r"input\.line\.multiple: must be a whole number"),
        ("input", '{"text": "abc"}', r"input\.text: must be a mapping"),
        ("classes", '"abc"', "classes is no list of texts"),
        ("classes", "[1, 2]", "classes is no list of texts"),
        ("parts", '["../a", "b"]', "parts are no names of parts"),
        ("parts", '["", "b"]', "parts are no names of parts"),
        ("parts", '["a", "a"]', "parts are no names of parts"),
        ("parts", f'["{"a" * 300}"]', "parts are no names of parts"),
        ("classes", "[" * 100_000, "not valid JSON|nested deeper"),
    ],
)
def test_what_an_index_may_not_say_no_file_may(field: str, text: str, why: str) -> None:
    with pytest.raises(DataError, match=f"^a.pth: its zoohub metadata cannot be read: .*({why})"):
        Metadata.from_strings({f"zoohub.{field}": text}, "a.pth")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a .onnx"):
        read_metadata(tmp_path / "missing.onnx")
    (tmp_path / "junk.pth").write_bytes(b"junk")
    with pytest.raises(DataError, match="cannot be read"):
        read_metadata(tmp_path / "junk.pth")
