"""Damages label files of every format in every way it can think of; each is read or refused.

    nice python tests/tasks/fuzz_data.py [--minutes 5] [--seed 0]

Each input is a sound file of one format after one to eight random changes: flipped, cut, doubled
or inserted bytes, and what is known to hurt (deep nesting, endless numbers, NaN, entities, aliases,
NUL, byte order marks, half characters). An input passes when it is read, or refused with a
ZoohubError of one line that names the file, within five seconds. Anything else is a crash: the
input is kept in the work folder and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from zoohub.core import notes
from zoohub.core.json_reader import read_json_file
from zoohub.core.yaml_reader import read_yaml
from zoohub.errors import DataError, ZoohubError
from zoohub.settings import load_settings
from zoohub.tasks.classification.recipe import TableData
from zoohub.tasks.classification.table import read_table
from zoohub.tasks.contract import AnyReader
from zoohub.tasks.detection.readers import read_boxes
from zoohub.tasks.detection.recipe import BoxesData
from zoohub.tasks.fill_mask.table import PlainTextsReader
from zoohub.tasks.finding import read_recipe
from zoohub.tasks.generation.passages import PassagesReader
from zoohub.tasks.question_answering.squad import QuestionsReader
from zoohub.tasks.segmentation.coco_masks import CocoMasksReader
from zoohub.tasks.segmentation.recipe import CocoMasksData
from zoohub.tasks.tagging.conll import TaggedTextsReader

SECONDS = 5
_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "height": 12, "width": 16}],
    "categories": [{"id": 0, "name": "all", "supercategory": "none"},
                   {"id": 1, "name": "cat", "supercategory": "all"},
                   {"id": 2, "name": "dog", "supercategory": "all"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3.5, 4], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 2, "segmentation": [[1, 1, 9, 1, 9, 8.5]]},
        {"id": 3, "image_id": 1, "category_id": 2,
         "segmentation": {"size": [12, 16], "counts": [14, 5, 7, 5, 161]}},
        {"id": 4, "image_id": 1, "category_id": 2,
         "segmentation": {"size": [12, 16], "counts": "2:04N1O"}},
    ],
}  # fmt: skip
_VOC = """<?xml version="1.0" encoding="utf-8"?>
<annotation><folder>VOC</folder><filename>a.png</filename>
<size><width>16</width><height>12</height><depth>3</depth></size>
<object><name>cat</name><difficult>0</difficult>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object></annotation>
"""
_ASKED = [
    {"id": "1", "question": "a", "answers": [{"text": "c", "answer_start": 2}]},
    {"id": "2", "question": "b", "answers": [], "is_impossible": True},
]
_SQUAD = {"data": [{"title": "t", "paragraphs": [{"context": "b c d", "qas": _ASKED}]}]}
_VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "eu", "##s"]
_RECIPE = """task: object-detection
model: yolov5n
data: {kind: boxes, path: data.yaml}
optimizer: {name: adamw, lr: 1e-3}
epochs: 2
batch_size: 4
"""
BASES: dict[str, bytes] = {
    "json": json.dumps(_COCO, indent=1).encode(),
    "yaml": b"train: images\nval: images\nnc: 2\nnames: {0: cat, 1: 'dog'}\nlist: [1, 2.5, ~]\n",
    "data.yaml": b"path: .\ntrain: images\nval: images\nnc: 2\nnames: [yes, no]\n",
    "yolo": b"0 0.5 0.5 0.25 0.25\r\n1 0.1 0.1 0.2 0.2 0.3 0.6\n",
    "coco": json.dumps(_COCO, indent=1).encode(),
    "coco masks": json.dumps(_COCO).encode(),
    "voc": _VOC.encode(),
    "csv": b'path,label,split\na.png,cat,train\nimages/b.png,"dog, big",train\na.png,cat,val\n',
    "jsonl": b'{"path": "a.png", "label": "cat"}\n{"path": "images/b.png", "label": 7}\n',
    "settings": b"ZOOHUB_TIMEOUT: 3.5\nZOOHUB_OFFLINE: yes\nZOOHUB_MIRROR: [a, b]\n",
    "recipe": _RECIPE.encode(),
    "texts": b'{"text": [2, 5, 6, 3], "split": "train"}\n{"text": "a b", "split": "val"}\n',
    "passages": b'{"text": "a b"}\n[1, 2, 3]\n{"text": [4, 5]}\n',
    "conll": b"-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nGerman JJ I-MISC\n",
    "tags": b'{"tokens": ["EU", "is"], "tags": ["B-ORG", "O"]}\n'
    b'{"ids": [2, 3], "tags": ["O", "O"]}\n',
    "squad": json.dumps(_SQUAD).encode(),
    "questions": b'{"question": "a", "context": "b c", "answer": "c"}\n'
    b'{"question": [2, 3], "context": [5, 6, 3], "answers": [{"start": 1, "end": 2}]}\n',
}
HURTS = (
    b"[" * 3000, b"{" * 3000, b'{"a":' * 3000, b"<a>" * 3000, b"9" * 5000, b"1e999", b"-1e999",
    b"NaN", b"Infinity", b"-Infinity", b".inf", b"null", b"~", b"true", b"2024-13-45", b"99999-1-1",
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000",
    b"a" * 5000, b"\xc4\xe3\xba\xc3", b"\xe9t\xe9", b"&a [*a, *a]", b"!!int x", b"!!python/none x",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"\\", b"..", b"/", b"~nobody/x", b"\r", b"\n", b'"',
    b"'", b",", b":", b"-1", b"0x1f", b"1_000", "²".encode(), "\u2028".encode(), b"1:30:00", b"%",
)  # fmt: skip


def place(folder: Path) -> None:
    """The pictures beside which every input lies."""
    for name in ("a.png", "images/a.png", "images/b.png", "JPEGImages/a.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), (9, 80, 200)).save(folder / name)
    for name in ("labels", "Annotations"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(_VOCABULARY))
    (folder / "yolo.yaml").write_text("train: images\nnames: [cat, dog]\n")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The file after one to eight random changes."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 8, 30))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at:]
        elif kind == 3:
            data = data[:at] + rng.randbytes(length) + data[at + length :]
        elif kind == 4 and rng.random() < 0.2:
            data = data[:at]
        elif kind == 5:  # a whole word or number in another's place
            end = at
            while end < len(data) and chr(data[end]).isalnum():
                end += 1
            data = data[:at] + rng.choice(HURTS) + data[end:]
        else:
            data = data[:at] + rng.choice(HURTS) + data[at:]
    if rng.random() < 0.05:
        data = rng.choice((b"\xef\xbb\xbf" + data, data.decode("latin-1").encode("utf-16")))
    return data


def check(kind: str, folder: Path, data: bytes) -> str:
    """Read `data` as a file of that format: `read` or `refused`; anything else is raised."""
    name, read = _READERS[kind]
    file = folder / name
    file.write_bytes(data)
    start = time.monotonic()
    try:
        read(file)
        outcome = "read"
    except ZoohubError as error:
        text = str(error)
        assert "\n" not in text.replace(str(file), ""), f"several lines: {text!r}"
        assert str(folder) in text, f"names no file: {text!r}"
        outcome = "refused"
    assert time.monotonic() - start < SECONDS, "too slow"
    return outcome


def _boxes(file: Path) -> None:
    splits = read_boxes(BoxesData("boxes", str(file), validation=0.0), training=False)
    for part in (splits.train, splits.validation):
        for objects in part.targets:
            assert (objects.boxes[:, 1:] >= 0).all()
            assert (objects.boxes[:, [1, 3]] <= 16).all()


def _table(file: Path) -> None:
    read_table(TableData("table", str(file)), evaluating=True)


def _masks(file: Path) -> None:
    splits = CocoMasksReader().read(CocoMasksData("coco-masks", str(file)), measuring=True)
    for mask in splits.train.targets:
        with contextlib.suppress(DataError):  # its picture is named where it is read
            mask.read()


def _texts(reader: AnyReader, file: Path) -> None:
    reader.claims(file)
    splits = reader.read(reader.describe(file), measuring=True)
    list(splits.identity())


_READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "json": ("x.json", lambda file: read_json_file(file, error=DataError, chinese=True)),
    "yaml": ("x.yaml", lambda file: read_yaml(file, error=DataError, chinese=True)),
    "data.yaml": ("data.yaml", _boxes),
    "yolo": ("labels/a.txt", lambda file: _boxes(file.parent.parent / "yolo.yaml")),
    "coco": ("coco.json", _boxes),
    "coco masks": ("masks.json", _masks),
    "voc": ("Annotations/a.xml", lambda file: _boxes(file.parent.parent)),
    "csv": ("x.csv", _table),
    "jsonl": ("x.jsonl", _table),
    "settings": ("zoohub.yaml", lambda file: load_settings({}, file=file)),
    "recipe": ("recipe.yaml", read_recipe),
    "texts": ("t.jsonl", partial(_texts, PlainTextsReader())),
    "passages": ("p.jsonl", partial(_texts, PassagesReader())),
    "conll": ("t.conll", partial(_texts, TaggedTextsReader())),
    "tags": ("tags.jsonl", partial(_texts, TaggedTextsReader())),
    "squad": ("squad.json", partial(_texts, QuestionsReader())),
    "questions": ("q.jsonl", partial(_texts, QuestionsReader())),
}


def main() -> int:
    """Fuzz until the time is up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-data-"))
    place(folder)
    notes.listener = lambda text: None
    counts: Counter[tuple[str, str]] = Counter()
    crashes, number = 0, 0
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        kind = list(BASES)[number % len(BASES)]
        data = mutated(BASES[kind], random.Random(f"{options.seed}/{number}"))
        number += 1
        try:
            counts[kind, check(kind, folder, data)] += 1
        except Exception:
            crashes += 1
            (folder / f"crash-{crashes}").write_bytes(data)
            print(kind, folder / f"crash-{crashes}", traceback.format_exc(limit=-4))
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:12} {outcome:8} {count}")
    print(f"{number} inputs, {crashes} crashes")
    return 1 if crashes else 0


if __name__ == "__main__":
    os.environ.pop("ZOOHUB_MAX_PIXELS", None)
    sys.exit(main())
