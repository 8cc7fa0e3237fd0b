"""YOLOX: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family


def _head(arguments: Mapping[str, object]) -> str:
    last = 32 if arguments.get("size") == "darknet53" else 24
    return f"model.model.{last}.cls_preds"


def _stem(arguments: Mapping[str, object]) -> str:
    return (
        "model.model.0.conv" if arguments.get("size") == "darknet53" else "model.model.0.conv.conv"
    )


def _models() -> Layout:
    """research/cv/yolox's Darknet-53: names of parts where mindyolo counts rows."""
    there = r"^backbone\.backbone"
    row = "model.model"
    rules = [
        (rf"{there}\.stem\.([01])\.(.+)$", rf"{row}.\1.\2"),
        (rf"{there}\.stem\.2\.layer(\d)\.(.+)$", rf"{row}.2.conv\1.\2"),
    ]
    for stage, (first, repeats) in enumerate(((3, 2), (5, 8), (7, 8), (9, 4)), start=2):
        rules.append((rf"{there}\.dark{stage}\.0\.(.+)$", rf"{row}.{first}.\1"))
        rules += [
            (
                rf"{there}\.dark{stage}\.{block + 1}\.layer(\d)\.(.+)$",
                rf"{row}.{first + 1}.{block}.conv\1.\2",
            )
            for block in range(repeats)
        ]
    rules += [
        (rf"{there}\.dark5\.{place}\.(.+)$", rf"{row}.{place + 6}.\1") for place in range(5, 10)
    ]
    for part, start in (("out1", 16), ("out2", 24)):
        rules.append((rf"^backbone\.{part}_cbl\.(.+)$", rf"{row}.{start}.\1"))
        rules += [
            (rf"^backbone\.{part}\.{place}\.(.+)$", rf"{row}.{start + 3 + place}.\1")
            for place in range(5)
        ]
    for level, size in enumerate("lms"):
        rules += [
            (rf"^head_{size}\.stem\.(.+)$", rf"{row}.32.stems.{level}.\1"),
            (rf"^head_{size}\.(\w+)\.(.+)$", rf"{row}.32.\1.{level}.\2"),
        ]
    return Layout(rules=tuple(rules), drop=(r"ema\..+",))


FAMILY = Family(
    name="yolox",
    task="object-detection",
    builder="yolox",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout(), "models": _models()},
    head=_head,
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 5.0, "objectness": 1.0, "classes": 1.0, "l1": 0.0},
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    stem=_stem,
    multiple=32,
)
