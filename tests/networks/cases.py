"""Every network that a parameter table or a reference output exists for, one a line."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from weights_rule import Table, table_of

from zoohub.networks.registry import find_builder

MODELS_50: dict[str, Any] = {"conv_padding": "same", "bn_eps": 1e-4}
MODELS_18: dict[str, Any] = {"pool_padding": "symmetric", "bn_eps": 1e-4, "outer_bn_eps": 1e-5}


@dataclass(frozen=True)
class Case:
    """`source` and `model` name the table; `layout` turns its names into the network's.

    `shape` is the reference input's, where there is a reference output; `pixels` says that the
    input goes from 0 to 255.
    """

    source: str
    model: str
    builder: str
    arguments: dict[str, Any] = field(default_factory=dict)
    layout: str | None = None
    shape: tuple[int, ...] | None = None
    pixels: bool = False

    @property
    def key(self) -> str:
        return f"{self.source}/{self.model}"

    def build(self) -> Any:
        return find_builder(self.builder).load()(**self.arguments)

    def input(self) -> np.ndarray:
        x = np.random.default_rng(1).standard_normal(self.shape)
        return (x * 64 + 128 if self.pixels else x).astype(np.float32)

    def rename(self, name: str) -> str:
        """The network's own name for a name in the table."""
        if self.layout is None:
            return name
        for pattern, replacement in find_builder(self.builder).layouts[self.layout].rules:
            match = re.fullmatch(pattern, name)
            if match:
                return match.expand(replacement)
        return name


def _resnets() -> list[Case]:
    with_output = {18: (2, 3, 224, 224), 50: (2, 3, 224, 224)}
    cases = []
    for depth in (18, 34, 50, 101, 152):
        numerics = MODELS_18 if depth < 50 else MODELS_50
        shape = with_output.get(depth)
        cases += [
            Case("mindcv", f"resnet{depth}", "resnet", {"depth": depth}, "mindcv", shape),
            Case(
                "models_repo",
                f"resnet{depth}_imagenet",
                "resnet",
                {"depth": depth, "num_classes": 1001, **numerics},
                "models",
                shape,
            ),
            Case(
                "models_repo",
                f"resnet{depth}_cifar10",
                "resnet",
                {"depth": depth, "num_classes": 10, **numerics},
                "models",
            ),
        ]
    return cases


def _mobilenets() -> list[Case]:
    sizes = {
        0.35: ("035_96", "035_128", "035_160", "035_192", "035_224"),
        0.5: ("050_96", "050_128", "050_160", "050_192", "050_224"),
        0.75: ("075_96", "075_128", "075_160", "075_192", "075"),
        1.0: ("100_96", "100_128", "100_160", "100_192", "100"),
        1.3: ("130_224",),
        1.4: ("140",),
    }
    with_output = {"035_96": (2, 3, 224, 224), "100": (2, 3, 224, 224)}
    cases = [
        Case(
            "mindcv",
            f"mobilenet_v2_{name}",
            "mobilenet_v2",
            {"width": width},
            "mindcv",
            with_output.get(name),
        )
        for width, names in sizes.items()
        for name in names
    ]
    models = Case(
        "models_repo", "mobilenetv2_imagenet", "mobilenet_v2", {}, "models", (2, 3, 224, 224)
    )
    return [*cases, models]


def _yolov5s() -> list[Case]:
    with_output = {"n": (2, 3, 640, 640), "s": (2, 3, 640, 640), "n6": (2, 3, 640, 640)}
    sizes = [f"{size}{p6}" for p6 in ("", "6") for size in "nsmlx"]
    cases = [
        Case(
            "mindyolo", f"yolov5{size}", "yolov5", {"size": size}, "mindyolo", with_output.get(size)
        )
        for size in sizes
    ]
    focus = partial(Case, "models_repo", builder="yolov5_focus", layout="models")
    return [
        *cases,
        focus("yolov5s", arguments={"size": "s"}, shape=(2, 640, 640, 3), pixels=True),
        focus(
            "yolov5s_dynamic_shape",
            arguments={"size": "s", "sliced_input": True},
            shape=(2, 12, 320, 320),
        ),
        *(focus(f"yolov5{size}", arguments={"size": size}) for size in "mlx"),
    ]


CASES = [
    Case("models_repo", "lenet", "lenet", {}, "models", (2, 1, 32, 32)),
    *_resnets(),
    *_mobilenets(),
    *_yolov5s(),
]
WITH_OUTPUT = [case for case in CASES if case.shape is not None]


def case_of(key: str) -> Case:
    return next(case for case in CASES if case.key == key)


@cache
def network_table(key: str) -> str:
    """The case's own table as JSON: built once for all tests, without initial values."""
    from mindspore.nn.utils import no_init_parameters

    with no_init_parameters():
        return json.dumps(table_of(case_of(key).build()))


@cache
def published_tables(folder: Path, source: str) -> dict[str, Table]:
    with gzip.open(folder / f"{source}.jsonl.gz", "rt") as lines:
        return {row["model"]: row["params"] for row in map(json.loads, lines)}
