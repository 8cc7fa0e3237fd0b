"""Non-maximum suppression appended to a detector's ONNX model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoohub.errors import ExportError
from zoohub.inference.runner import DETECTIONS as OUTPUT
from zoohub.vision.detection import CONFIDENCE, IOU, MAX_DETECTIONS, Detections


def append_nms(
    model: Any,
    *,
    layout: str,
    confidence: float = CONFIDENCE,
    iou: float = IOU,
    max_detections: int = MAX_DETECTIONS,
) -> None:
    """Replace a model's decoded predictions by its final boxes, in place.

    The new output `detections` is float32 (n, 7): batch index, x1, y1, x2, y2 in pixels of the
    input, score, class. As `vision.detection.select_detections`: a box counts for its best class,
    with objectness times class score (the objectness alone where there is one class) above
    `confidence`; within a class, boxes that overlap a better one by more than `iou` go. At most
    `max_detections` stay for each class of a picture. They come by picture, class, falling score.

    `layout` is the input's, NCHW or NHWC; it says where its height and width are.

    Raises:
        ExportError: the model's outputs are not decoded predictions.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    names = [output.name for output in graph.output]
    if not all(name.startswith("predictions") for name in names):
        raise ExportError(f"NMS needs a detector's decoded predictions; the outputs are {names}")

    def constant(name: str, values: Any, dtype: type[np.generic]) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(values, dtype), f"nms_{name}"))
        return f"nms_{name}"

    def add(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        name = output if output == OUTPUT else f"nms_{output}"
        graph.node.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def part(source: str, start: int, stop: int, output: str) -> str:
        bounds = [
            constant(f"{output}_{key}", [value], np.int64)
            for key, value in (("start", start), ("stop", stop), ("axis", -1))
        ]
        return add("Slice", [source, *bounds], output)

    fields = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    rows = _rows(graph, names, layout, fields, constant, add)
    centre, half = part(rows, 0, 2, "centre"), part(rows, 2, 4, "size")
    half = add("Mul", [half, constant("half", 0.5, np.float32)], "half_size")
    corners = [add("Sub", [centre, half], "first"), add("Add", [centre, half], "last")]
    boxes = add("Concat", corners, "boxes", axis=-1)
    scores = part(rows, 4, 5, "objectness")
    classes = fields - 5
    if classes > 1:
        scores = add("Mul", [scores, part(rows, 5, fields, "classes")], "scores")
        best = add("ArgMax", [scores], "best", axis=-1, keepdims=1)
        every = constant("every", np.arange(classes).reshape(1, 1, -1), np.int64)
        scores = add(
            "Where",
            [add("Equal", [best, every], "is_best"), scores, constant("zero", 0.0, np.float32)],
            "best_scores",
        )
    by_class = add("Transpose", [scores], "by_class", perm=[0, 2, 1])
    kept = add(
        "NonMaxSuppression",
        [
            boxes,
            by_class,
            constant("limit", [max_detections], np.int64),
            constant("iou", [iou], np.float32),
            constant("confidence", [confidence], np.float32),
        ],
        "kept",
        center_point_box=0,
    )
    picture, label = part(kept, 0, 1, "picture"), part(kept, 1, 2, "label")
    number = part(kept, 2, 3, "number")
    where = add("Concat", [picture, number], "where", axis=1)
    columns = [
        add("Cast", [picture], "picture_float", to=1),
        add("GatherND", [boxes, where], "kept_boxes"),
        add(
            "Unsqueeze",
            [
                add("GatherND", [by_class, kept], "kept_scores"),
                constant("last_axis", [1], np.int64),
            ],
            "score_column",
        ),
        add("Cast", [label], "label_float", to=1),
    ]
    add("Concat", columns, OUTPUT, axis=1)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, 1, ["found", 7]))


def _rows(
    graph: Any, names: Sequence[str], layout: str, fields: int, constant: Any, add: Any
) -> str:
    """The predictions as (batch, boxes, fields), in pixels of the input."""
    if len(names) == 1:
        return names[0]
    flat = constant("flat", [0, -1, fields], np.int64)
    # Maps of fractions: 0 keeps the batch, which is their first axis.
    parts = [add("Reshape", [name, flat], f"rows_{i}") for i, name in enumerate(names)]
    rows = add("Concat", parts, "rows", axis=1)
    shape = add("Shape", [graph.input[0].name], "input_shape")
    width, height = (3, 2) if layout == "NCHW" else (2, 1)
    pixels = add(
        "Gather", [shape, constant("pixel_axes", [width, height] * 2, np.int64)], "pixels", axis=0
    )
    ones = constant("ones", np.ones(fields - 4), np.float32)
    scale = add("Concat", [add("Cast", [pixels], "pixels_float", to=1), ones], "scale", axis=0)
    return str(add("Mul", [rows, scale], "rows_in_pixels"))


def as_table(found: Sequence[Detections]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Detections of several pictures in the form of the output `detections`.

    `MAX_DETECTIONS` stay for each class of a picture.
    """
    tables = [
        np.concatenate(
            [
                np.full((len(d), 1), index),
                d.boxes,
                d.scores[:, None],
                d.classes[:, None].astype(np.float64),
            ],
            axis=1,
        )
        for index, d in enumerate(found)
    ]
    table = np.concatenate(tables).astype(np.float32)
    table = table[np.lexsort((-table[:, 5], table[:, 6], table[:, 0]))]
    groups = np.flatnonzero(np.any(table[1:, [0, 6]] != table[:-1, [0, 6]], axis=1)) + 1
    return np.concatenate([group[:MAX_DETECTIONS] for group in np.split(table, groups)])
