"""Detectors exported: how their boxes are compared, and non-maximum suppression in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoohub.errors import DataError, ExportError
from zoohub.outputs import Boxes, BoxTable, Form
from zoohub.outputs.form import Array
from zoohub.outputs.reading import DETECTIONS
from zoohub.tasks.contract import InFile
from zoohub.tasks.detection.rules import BoxRules
from zoohub.tasks.detection.selection import Detections, select_detections

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


# Of (…, 6): x1, y1, x2, y2; score; class.
CHOSEN_PARTS = (slice(0, 4), slice(4, 5), slice(5, 6))


def comparable_boxes(name: str, output: Array) -> tuple[Array, ...]:
    """An output in parts of one unit each: boxes, in pixels, would drown the scores' errors."""
    if name in ("boxes", "masked_boxes") or name.startswith("predictions"):
        return output[..., :4], output[..., 4:]
    if name == "chosen":  # near ties may come in either order
        return tuple(np.sort(output[..., part], axis=1) for part in CHOSEN_PARTS)
    return (output,)


class Suppression(InFile):
    """Non-maximum suppression, appended to an ONNX file.

    The new output `detections` is float32 (n, 7): batch index, x1, y1, x2, y2 in pixels of the
    input, score, class. As `select_detections` by the same rules, as far as ONNX's operator has
    them (`rules` are those that the file follows, `leaves_out` says what they lack), but for the
    number of boxes: at most `most` (or `most_of_class`) stay for each class of a picture. They come
    by picture, class, falling score. Networks that choose their boxes themselves have those above
    the threshold in the table, by picture and falling score.
    """

    outputs = (DETECTIONS,)

    def __init__(self, rules: BoxRules | None = None) -> None:
        rules = rules or BoxRules()
        self.rules = replace(
            rules,
            suppression="iou",
            inclusive=None if rules.inclusive == "picture" else rules.inclusive,
        )
        self.confidence = rules.confidence
        self.limit = rules.most if rules.most_of_class is None else rules.most_of_class
        lacks = []
        if rules.suppression != "iou":
            ways = {"diou": "goes by the distance of centres too", "soft": "weakens boxes"}
            lacks.append(ways[rules.suppression.removesuffix("_in_order")])
        if rules.inclusive == "picture":
            lacks.append("counts both ends of a side in pixels of the picture")
        if lacks:
            self.leaves_out = (
                f"the file's NMS leaves out that the publisher's {' and '.join(lacks)}: predict "
                "does so where the file has none (export without --nms)"
            )

    def append(self, model: ModelProto, layout: str) -> None:
        """See `InFile.append`.

        Raises:
            ExportError: the model's outputs are not decoded predictions.
        """
        from onnx import helper

        graph = model.graph
        # The table has no room for the points of faces.
        names = [output.name for output in graph.output if output.name != "points"]
        nodes = _Nodes(graph)
        if names == ["chosen"]:
            _chosen_table(nodes, self.confidence)
        else:
            self._suppress(nodes, names, layout)
        del graph.output[:]
        graph.output.append(helper.make_tensor_value_info(DETECTIONS, 1, ["found", 7]))

    def _suppress(self, nodes: _Nodes, names: Sequence[str], layout: str) -> None:
        """The table of what is left of decoded predictions."""
        graph = nodes.graph
        objectness = names != ["boxes"]  # what `zoohub.outputs.boxes` calls them
        if objectness and not all(name.startswith("predictions") for name in names):
            raise ExportError(
                f"NMS needs a detector's decoded predictions; the outputs are {names}"
            )
        fields = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
        rows = _rows(nodes, names, layout, fields)
        boxes, by_class = _candidates(nodes, rows, fields, objectness, self.rules)
        limits = [
            nodes.constant("limit", [self.limit], np.int64),
            nodes.constant("iou", [self.rules.iou], np.float32),
            nodes.constant("confidence", [self.confidence], np.float32),
        ]
        measured = boxes
        if self.rules.inclusive == "input":  # a side that is a pixel longer ends a pixel later
            longer = nodes.constant("longer", [0, 0, 1, 1], np.float32)
            measured = nodes.add("Add", [boxes, longer], "measured")
        kept = nodes.add(
            "NonMaxSuppression", [measured, by_class, *limits], "kept", center_point_box=0
        )
        _table(nodes, boxes, by_class, kept)

    def expected(self, form: Form) -> dict[str, Array]:
        """See `InFile.expected`."""
        if isinstance(form, BoxTable):
            return {DETECTIONS: form.rows[form.rows[:, 5] > self.confidence]}
        if not isinstance(form, Boxes):
            raise DataError(f"expected boxes from the network; it gives {type(form).__name__}")
        every = form.scores[0].size
        rules = replace(self.rules, most=every, most_of_class=self.limit)
        found = [select_detections(form, i, rules, max_candidates=every) for i in range(len(form))]
        return {DETECTIONS: as_table(found)}


class _Nodes:
    """Nodes and constants added to a graph, their names led by `nms_`."""

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph

    def constant(self, name: str, values: ArrayLike, dtype: type[np.generic]) -> str:
        from onnx import numpy_helper

        array = np.array(values, dtype)
        self.graph.initializer.append(numpy_helper.from_array(array, f"nms_{name}"))
        return f"nms_{name}"

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        from onnx import helper

        name = output if output == DETECTIONS else f"nms_{output}"
        node = helper.make_node(op, list(inputs), [name], name=name, **attributes)
        self.graph.node.append(node)
        return name

    def part(self, source: str, start: int, stop: int, output: str) -> str:
        """The fields from `start` to `stop` of the last axis."""
        bounds = [
            self.constant(f"{output}_{key}", [value], np.int64)
            for key, value in (("start", start), ("stop", stop), ("axis", -1))
        ]
        return self.add("Slice", [source, *bounds], output)


def _rows(nodes: _Nodes, names: Sequence[str], layout: str, fields: int) -> str:
    """The predictions as (batch, boxes, fields), in pixels of the input."""
    if len(names) == 1:
        return names[0]
    flat = nodes.constant("flat", [0, -1, fields], np.int64)
    # Maps of fractions: 0 keeps the batch, which is their first axis.
    parts = [nodes.add("Reshape", [name, flat], f"rows_{i}") for i, name in enumerate(names)]
    rows = nodes.add("Concat", parts, "rows", axis=1)
    shape = nodes.add("Shape", [nodes.graph.input[0].name], "input_shape")
    width, height = (3, 2) if layout == "NCHW" else (2, 1)
    axes = nodes.constant("pixel_axes", [width, height] * 2, np.int64)
    pixels = nodes.add("Gather", [shape, axes], "pixels", axis=0)
    ones = nodes.constant("ones", np.ones(fields - 4), np.float32)
    scale = nodes.add(
        "Concat", [nodes.add("Cast", [pixels], "pixels_float", to=1), ones], "scale", axis=0
    )
    return nodes.add("Mul", [rows, scale], "rows_in_pixels")


def _candidates(
    nodes: _Nodes, rows: str, fields: int, objectness: bool, rules: BoxRules
) -> tuple[str, str]:
    """The corners (batch, boxes, 4), and the scores (batch, classes, boxes), 0 for what is no
    candidate: without `multi_label` all but a box's best class."""
    centre, half = nodes.part(rows, 0, 2, "centre"), nodes.part(rows, 2, 4, "size")
    half = nodes.add("Mul", [half, nodes.constant("half", 0.5, np.float32)], "half_size")
    corners = [
        nodes.add("Sub", [centre, half], "first"),
        nodes.add("Add", [centre, half], "last"),
    ]
    boxes = nodes.add("Concat", corners, "boxes", axis=-1)
    first = 5 if objectness else 4
    classes = fields - first
    alone = nodes.part(rows, first, fields, "classes")
    scores = alone
    if objectness:
        scores = nodes.part(rows, 4, 5, "objectness")
        if classes > 1:
            scores = nodes.add("Mul", [scores, alone], "scores")
    if rules.class_confidence > 0:
        least = nodes.constant("class_confidence", rules.class_confidence, np.float32)
        good = nodes.add("Greater", [alone, least], "good_class")
        scores = nodes.add("Where", [good, scores, _zero(nodes, "bad")], "good_scores")
    if classes > 1 and not rules.multi_label:
        best = nodes.add("ArgMax", [scores], "best", axis=-1, keepdims=1)
        every = nodes.constant("every", np.arange(classes).reshape(1, 1, -1), np.int64)
        is_best = nodes.add("Equal", [best, every], "is_best")
        scores = nodes.add("Where", [is_best, scores, _zero(nodes, "worse")], "best_scores")
    return boxes, nodes.add("Transpose", [scores], "by_class", perm=[0, 2, 1])


def _zero(nodes: _Nodes, name: str) -> str:
    """The score of what is no candidate."""
    return nodes.constant(name, 0.0, np.float32)


def _table(nodes: _Nodes, boxes: str, by_class: str, kept: str) -> None:
    """The output `detections` from what was kept: (picture, class, box) numbers."""
    picture, label = nodes.part(kept, 0, 1, "picture"), nodes.part(kept, 1, 2, "label")
    number = nodes.part(kept, 2, 3, "number")
    where = nodes.add("Concat", [picture, number], "where", axis=1)
    columns = [
        nodes.add("Cast", [picture], "picture_float", to=1),
        nodes.add("GatherND", [boxes, where], "kept_boxes"),
        nodes.add(
            "Unsqueeze",
            [
                nodes.add("GatherND", [by_class, kept], "kept_scores"),
                nodes.constant("last_axis", [1], np.int64),
            ],
            "score_column",
        ),
        nodes.add("Cast", [label], "label_float", to=1),
    ]
    nodes.add("Concat", columns, DETECTIONS, axis=1)


def _chosen_table(nodes: _Nodes, confidence: float) -> None:
    """The output `detections` of boxes that were chosen already, (batch, boxes, 6)."""
    axis = nodes.constant("last_axis", [2], np.int64)  # `part` names its own
    scores = nodes.add("Squeeze", [nodes.part("chosen", 4, 5, "score"), axis], "scores")
    least = nodes.constant("confidence", confidence, np.float32)
    found = nodes.add("NonZero", [nodes.add("Greater", [scores, least], "good")], "found")
    where = nodes.add("Transpose", [found], "where", perm=[1, 0])
    picture = nodes.add("Cast", [nodes.part(where, 0, 1, "picture")], "picture_float", to=1)
    rows = nodes.add("GatherND", ["chosen", where], "rows")
    nodes.add("Concat", [picture, rows], DETECTIONS, axis=1)


def as_table(found: Sequence[Detections]) -> NDArray[np.float32]:
    """Detections of several pictures in the form and order of the output `detections`."""
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
    return table[np.lexsort((-table[:, 5], table[:, 6], table[:, 0]))]
