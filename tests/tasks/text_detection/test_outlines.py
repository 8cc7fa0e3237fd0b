"""Outlines are those of MindOCR's own post-processing, within a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.text_detection import upstream
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import RegionContract
from zoohub.outputs import Form
from zoohub.outputs.text_areas import TextCurves, TextKernels, TextProbability, TurnedBoxes
from zoohub.tasks.contract import Row
from zoohub.tasks.text_detection.curves import curve_outlines
from zoohub.tasks.text_detection.interpret import (
    TextArea,
    TextDetectionOptions,
    interpret_texts,
)
from zoohub.tasks.text_detection.kernels import grown, kernel_outlines
from zoohub.tasks.text_detection.probability_map import map_outlines
from zoohub.tasks.text_detection.rows import DetectorInput
from zoohub.tasks.text_detection.shapes import MOST, Outline, spans
from zoohub.tasks.text_detection.turned_boxes import box_outlines

pytest.importorskip("cv2")
pytest.importorskip("shapely")

SHAPES = {"quad": "quad", "poly": "polygon"}


def assert_same(found: list[Outline], polygons: list[Any], within: float = 0.05) -> None:
    assert len(found) == len(polygons)
    for one, other in zip(found, polygons, strict=True):
        assert one.points.shape == np.shape(other)
        assert np.abs(one.points - np.array(other)).max() <= within


def check_db(folder: Path) -> None:
    said = upstream.cases("db", folder)
    probability = upstream.probability(said)
    for case in said["cases"]:
        found = map_outlines(
            probability,
            polygons=case["box_type"] == "poly",
            binary=case["binary_thresh"],
            least=case["box_thresh"],
            expand=case["expand_ratio"],
        )
        assert_same(found, case["polys_input_space"])
        assert [one.score for one in found] == pytest.approx(case["scores"], abs=1e-5)


def check_pse(folder: Path) -> None:
    said = upstream.cases("pse", folder)
    logits = upstream.kernels(said)
    for case in said["cases"]:
        found = kernel_outlines(
            logits,
            (4 * said["height"], 4 * said["width"]),
            polygons=case["box_type"] == "poly",
            binary=case["binary_thresh"],
            least=case["box_thresh"],
        )
        assert_same(found, case["polys_input_space"])
        assert [one.score for one in found] == pytest.approx(case["scores"], abs=1e-5)


def check_east(folder: Path) -> None:
    said = upstream.cases("east", folder)
    scores, boxes = upstream.turned_boxes(said)
    for case in said["cases"]:
        size = (4 * said["height"], 4 * said["width"])
        found = box_outlines(scores, boxes, size, least=case["score_thresh"])
        assert_same(found, case["polys_input_space"])
        assert all(case["score_thresh"] < one.score < 1 for one in found)


def check_fce(folder: Path) -> None:
    said = upstream.cases("fce", folder)
    levels = upstream.curves(said)
    for case in said["cases"]:
        size = (8 * said["levels"][0]["h"], 8 * said["levels"][0]["w"])
        found = curve_outlines(levels, size, least=case["score_thr"], text_power=case["alpha"])
        assert_same(found, case["polys"], within=1)
        assert [one.score for one in found] == pytest.approx(case["scores"], abs=1e-5)


CHECKS = {"db": check_db, "pse": check_pse, "east": check_east, "fce": check_fce}


@pytest.mark.parametrize("rule", CHECKS)
def test_outlines_are_those_of_upstream(rule: str) -> None:
    CHECKS[rule](upstream.DATA)


@pytest.mark.parametrize("rule", CHECKS)
def test_outlines_are_those_of_upstream_in_all_cases(rule: str, shared: Path) -> None:
    CHECKS[rule](shared / "oracle" / "golden" / "postprocess")


def form_of(name: str, said: dict[str, Any]) -> tuple[Form, tuple[int, int]]:
    """The form of a batch of two: the case's maps, and nothing."""
    if name == "db":
        maps = upstream.probability(said)
        return TextProbability(np.stack([maps, 0 * maps])), maps.shape
    if name == "pse":
        logits = upstream.kernels(said)
        size = (4 * said["height"], 4 * said["width"])
        return TextKernels(np.stack([logits, np.full_like(logits, -9)])), size
    if name == "east":
        scores, boxes = upstream.turned_boxes(said)
        size = (4 * said["height"], 4 * said["width"])
        form = TurnedBoxes(np.stack([scores, 0 * scores]), np.stack([boxes, 0 * boxes]))
        return form, size
    levels = upstream.curves(said)
    return TextCurves(tuple(np.stack([level, 0 * level]) for level in levels)), (320, 480)


def row_of(size: tuple[int, int], regions: RegionContract, picture: tuple[int, int]) -> Row:
    page = DetectorInput(Geometry(picture, size, 0, 0), regions)
    return Row({"image": np.zeros((3, *size), np.float32)}, page)


def best_first(areas: list[TextArea]) -> list[TextArea]:
    return sorted(areas, key=lambda area: -area.score)


@pytest.mark.parametrize("name", ["db", "pse"])
def test_they_come_in_the_pictures_own_pixels_best_first(name: str) -> None:
    said = upstream.cases(name)
    form, size = form_of(name, said)
    for case in said["cases"]:
        regions = RegionContract(
            SHAPES[case["box_type"]],  # type: ignore[arg-type]
            binary=case["binary_thresh"],
            least=case["box_thresh"],
            expand=case.get("expand_ratio"),
        )
        rows = [row_of(size, regions, (331, 470))] * 2
        found, nothing = interpret_texts(form, rows, TextDetectionOptions())
        expected = sorted(
            zip(case["scores"], case["polys_original_space"], strict=True),
            key=lambda pair: -pair[0],
        )
        assert nothing == ()
        assert len(found) == len(expected)
        for area, (score, polygon) in zip(found, expected, strict=True):
            assert area.score == pytest.approx(score, abs=1e-5)
            assert np.abs(np.array(area.polygon) - np.array(polygon)).max() <= 1
            assert area.to_json()["polygon"] == [list(corner) for corner in area.polygon]


@pytest.mark.parametrize(
    ("name", "threshold"), [("db", 0.8), ("pse", 0.87), ("east", 0.9), ("fce", 0.8)]
)
def test_the_threshold_asked_for_goes_before_the_checkpoints(name: str, threshold: float) -> None:
    form, size = form_of(name, upstream.cases(name))
    rows = [row_of(size, RegionContract(least=0.3), size)] * 2
    all_found, _ = interpret_texts(form, rows, TextDetectionOptions())
    some, _ = interpret_texts(form, rows, TextDetectionOptions(threshold=threshold))
    none, _ = interpret_texts(form, rows, TextDetectionOptions(threshold=0.999))
    assert len(all_found) > len(some) > len(none) == 0
    assert all(area.score >= threshold for area in some)
    assert list(all_found) == best_first(list(all_found))


def test_a_picture_among_larger_ones_is_seen_as_alone() -> None:
    said = upstream.cases("db")
    probability = upstream.probability(said)
    height, width = probability.shape
    large = np.full((2, height + 64, width + 32), 0.9, np.float32)
    large[0, :height, :width] = probability
    rows = [row_of((height, width), RegionContract(), (height, width)),
            row_of((height + 64, width + 32), RegionContract(), (50, 50))]  # fmt: skip
    options = TextDetectionOptions()
    found, whole = interpret_texts(TextProbability(large), rows, options)
    alone = interpret_texts(TextProbability(probability[None]), rows[:1], options)
    assert (found,) == tuple(alone)
    assert len(whole) == 1


def test_kernels_grow_first_come_first_served() -> None:
    inner = np.zeros((9, 40), np.bool_)
    inner[2:6, 2:8] = inner[2:6, 20:26] = True
    whole = np.zeros_like(inner)
    whole[1:8, 1:30] = True
    labels = grown([whole, inner])
    assert (labels > 0).tolist() == whole.tolist()
    between = labels[3, 8:20].tolist()  # twelve pixels, half of them to each
    assert between == [1] * 6 + [2] * 6
    assert labels[0].max() == labels[:, 30:].max() == 0


@pytest.mark.slow
def test_a_million_specks_are_no_text() -> None:
    specks = np.zeros((2048, 2048), np.float32)
    specks[::2, ::2] = 0.9
    assert map_outlines(specks) == []  # none is three pixels wide


@pytest.mark.slow
def test_a_page_of_spots_is_bounded() -> None:
    spots = np.zeros((1024, 1024), np.float32)
    for down in range(4):
        for across in range(4):
            spots[down::8, across::8] = 0.9
    assert len(map_outlines(spots)) <= MOST
    logits = np.repeat(np.where(spots[None, :256, :256] > 0, 3, -3), 7, 0).astype(np.float32)
    assert len(kernel_outlines(logits, (512, 512))) <= MOST
    scores = np.full((64, 64), 0.9, np.float32)
    boxes = np.full((5, 64, 64), 1.0, np.float32)
    boxes[4] = 0
    assert len(box_outlines(scores, boxes, (256, 256))) <= MOST
    series = np.zeros((26, 40, 40), np.float32)
    series[[1, 3]] = 0.9
    series[[6, 4]] = 0.2
    assert len(curve_outlines([series], (320, 320))) <= MOST


def test_no_text_and_one_letter() -> None:
    nothing = np.zeros((64, 64), np.float32)
    assert map_outlines(nothing) == map_outlines(nothing, polygons=True) == []
    assert kernel_outlines(np.full((7, 16, 16), -5, np.float32), (64, 64)) == []
    assert box_outlines(nothing, np.zeros((5, 64, 64), np.float32), (256, 256)) == []
    assert curve_outlines([np.zeros((26, 8, 8), np.float32)], (64, 64)) == []
    letter = nothing.copy()
    letter[20:40, 30:38] = 0.9
    (found,) = map_outlines(letter)
    assert found.points.min() >= 15
    assert found.score == pytest.approx(0.9)
    line = nothing.copy()
    line[30, :] = 0.9
    assert map_outlines(line) == map_outlines(line, polygons=True) == []


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([[0, 0], [9, 0], [9, 4], [0, 4]], True),
        ([[9, 4], [0, 0], [9, 0], [0, 4]], True),  # crosses itself: halves of unlike signs
        ([[3, 3], [3, 3], [3, 3]], False),
        ([[5, 0], [5, 7], [5, 2]], False),
        ([[0, 0], [0, 0], [30000, 10000], [3, 1]], False),
        ([[0, 0], [30000, 10000], [30000, 10001]], True),
    ],
)
def test_a_line_spans_nothing(points: list[list[int]], found: bool) -> None:
    assert spans(np.array(points, np.float32)) is found
