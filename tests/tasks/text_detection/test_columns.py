"""Lines of text as rows of narrow boxes, as CTPN sees them."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import RegionContract
from zoohub.outputs.text_areas import TextColumns, text_columns
from zoohub.tasks.contract import Row
from zoohub.tasks.text_detection.columns import column_outlines
from zoohub.tasks.text_detection.interpret import TextDetectionOptions, interpret_texts
from zoohub.tasks.text_detection.rows import DetectorInput

CELLS = (6, 20)
SIZE = (16 * CELLS[0], 16 * CELLS[1])
HEIGHTS = (2, 4, 7, 11, 16, 23, 33, 48, 68, 97, 139, 198, 283, 406)


def empty(cells: tuple[int, int] = CELLS) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((14, *cells), np.float32), np.zeros((56, *cells), np.float32)


def draw(
    maps: tuple[np.ndarray, np.ndarray],
    row: int,
    columns: range,
    score: float = 0.95,
    kind: int = 4,
) -> None:
    maps[0][kind, row, columns.start : columns.stop : columns.step] = score


def test_boxes_beside_each_other_are_a_line() -> None:
    maps = empty()
    draw(maps, 1, range(2, 8))
    maps[0][4, 1, 2] = 0.98
    (line,) = column_outlines(*maps, SIZE)
    # the anchor of 16 pixels is from 0 to 15 of its cell and becomes one from 0 to 16
    np.testing.assert_allclose(line.points, [[32, 16], [128, 16], [128, 32], [32, 32]], atol=1e-4)
    assert line.score == pytest.approx((0.98 + 5 * 0.95) / 6)


def test_offsets_move_boxes_up_and_down_only() -> None:
    maps = empty()
    draw(maps, 1, range(2, 8))
    offsets = maps[1].reshape(14, 4, *CELLS)
    offsets[4, 1, 1], offsets[4, 3, 1] = 0.25, np.log(1.5)
    offsets[4, 0, 1], offsets[4, 2, 1] = 3, 3  # along x: not used
    (line,) = column_outlines(*maps, SIZE)
    np.testing.assert_allclose(line.points, [[32, 16], [128, 16], [128, 40], [32, 40]], atol=1e-4)


def test_a_line_that_climbs_has_the_box_of_its_fitted_sides() -> None:
    maps = empty()
    draw(maps, 2, range(0, 11))
    maps[1].reshape(14, 4, *CELLS)[4, 1, 2, :11] = -np.arange(11) / 16
    (line,) = column_outlines(*maps, SIZE)
    # upper and lower sides at the middles of the outer boxes, by lines through their left corners
    np.testing.assert_allclose(line.points[[0, 2]], [[0, 21.5], [176, 47.5]], atol=1e-3)


@pytest.mark.parametrize(
    "odd",
    [
        {"columns": range(2, 4)},  # two boxes are not wider than 32 pixels
        {"columns": range(2, 3)},
        {"columns": range(0, 20, 4)},  # 64 pixels apart
        {"score": 0.89},
        {"score": 0.7},  # of boxes: it must be more
    ],
)
def test_what_is_too_short_too_far_apart_or_not_sure_is_no_line(odd: dict[str, object]) -> None:
    maps = empty()
    draw(maps, 1, **({"columns": range(2, 8)} | odd))  # type: ignore[arg-type]
    assert column_outlines(*maps, SIZE) == []
    assert column_outlines(*empty(), SIZE) == []


def test_a_gap_of_three_columns_is_bridged_and_lines_of_other_heights_are_not_joined() -> None:
    maps = empty()
    draw(maps, 1, range(0, 13, 3))
    draw(maps, 4, range(0, 6))
    draw(maps, 4, range(6, 12), kind=6)  # twice as high
    found = column_outlines(*maps, SIZE)
    widths = sorted(float(line.points[2, 0] - line.points[0, 0]) for line in found)
    assert widths == [96, 96, 208]
    # a tower is no line: 48 pixels wide, and more than twice as high
    tower = empty((12, 20))
    draw(tower, 6, range(2, 5), kind=10)
    assert column_outlines(*tower, (192, 320)) == []


def by_hand(scores: np.ndarray, offsets: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    """The published rule, box by box."""
    boxes = []
    for anchor, row, column in np.ndindex(*scores.shape):
        _, dy, _, dh = offsets[4 * anchor : 4 * anchor + 4, row, column]
        upper, lower = int(7.5 - HEIGHTS[anchor] / 2), int(7.5 + HEIGHTS[anchor] / 2)
        height = lower - upper + 1
        middle = 16 * row + upper + height / 2 + dy * height
        height *= np.exp(dh)
        score = scores[anchor, row, column]
        boxes.append(
            (16 * column, middle - height / 2, 16 * column + 16, middle + height / 2, score)
        )
    boxes = sorted(boxes, key=lambda box: -box[4])[:2000]
    boxes = [box for box in apart(boxes, 0.7, 0)[:1000] if box[4] > 0.7]
    boxes = apart(boxes, 0.2, 1)
    following = {}
    for box in boxes:
        for left in range(box[0] + 1, box[0] + 61):
            fits = [other for other in boxes if other[0] == left and alike(box, other)]
            if fits:
                rivals = [other for other in boxes if other[0] == box[0] and alike(box, other)]
                if box[4] >= max(other[4] for other in rivals):
                    following[box] = max(fits, key=lambda other: other[4])
                break
    lines = []
    for start in [box for box in following if box not in following.values()]:
        line = [start]
        while line[-1] in following:
            line.append(following[line[-1]])
        known = np.array(line)
        ends = np.array([known[0, 0] + 8, known[:, 2].max() - 8])
        upper, lower = (np.polyval(np.polyfit(known[:, 0], known[:, k], 1), ends) for k in (1, 3))
        box = np.array([known[0, 0], upper.min(), known[:, 2].max(), lower.max()])
        box = box.clip(0, [size[1] - 1, size[0] - 1] * 2)
        width, height = box[2:] - box[:2]
        if width / height > 0.5 and width > 32 and known[:, 4].mean() > 0.9:
            lines.append(box)
    return lines


def apart(boxes: list[tuple], most: float, pixel: int) -> list[tuple]:
    kept: list[tuple] = []
    for box in boxes:
        for other in kept:
            wide = min(box[2], other[2]) - max(box[0], other[0]) + pixel
            high = min(box[3], other[3]) - max(box[1], other[1]) + pixel
            shared = max(wide, 0) * max(high, 0)
            areas = [(b[2] - b[0] + pixel) * (b[3] - b[1] + pixel) for b in (box, other)]
            if shared / (sum(areas) - shared) > most:
                break
        else:
            kept.append(box)
    return kept


def alike(one: tuple, other: tuple) -> bool:
    heights = sorted(box[3] - box[1] + 1 for box in (one, other))
    shared = min(one[3], other[3]) - max(one[1], other[1]) + 1
    return shared / heights[0] >= 0.7 and heights[0] / heights[1] >= 0.7


@pytest.mark.parametrize("seed", range(4))
def test_lines_are_those_of_the_published_rule(seed: int) -> None:
    random = np.random.default_rng(seed)
    cells = (5, 12)
    scores = random.uniform(0, 1, (14, *cells)).astype(np.float32) ** 0.2
    offsets = random.normal(0, 0.15, (56, *cells)).astype(np.float32)
    scores[:, :, 4] *= random.uniform(0.5, 1)
    found = column_outlines(scores, offsets, (80, 192))
    boxes = [np.concatenate([line.points[0], line.points[2]]) for line in found]
    expected = by_hand(scores, offsets, (80, 192))
    assert len(expected) > 3
    np.testing.assert_allclose(
        sorted(map(tuple, boxes)), sorted(map(tuple, expected)), rtol=1e-4, atol=1e-2
    )


def test_logits_are_of_no_text_and_text_by_turns() -> None:
    logits = np.zeros((1, 28, 2, 2), np.float32)
    logits[:, 1] = 200  # a text, if the first anchor's second is that
    form = text_columns({"logits": logits, "offsets": np.zeros((1, 56, 2, 2))}, (32, 32))
    assert isinstance(form, TextColumns)
    assert (form.scores[0, 0] == 1).all()
    assert (form.scores[0, 1:] == 0.5).all()
    with pytest.raises(DataError, match=r"expected offsets \(1, 56, 2, 2\)"):
        text_columns({"logits": logits, "offsets": np.zeros((1, 28, 2, 2))}, (32, 32))
    with pytest.raises(DataError, match=r"expected scores of 14 boxes a cell"):
        text_columns({"logits": logits[:, :20], "offsets": np.zeros((1, 40, 2, 2))}, (32, 32))
    with pytest.raises(DataError, match=r"expected logits"):
        text_columns({"points": logits}, (32, 32))


@pytest.mark.parametrize("offset", [500, 3e38, -3e38])
@pytest.mark.filterwarnings("error")
def test_offsets_beyond_all_numbers_are_no_warning(offset: float) -> None:
    maps = empty((2, 4))
    maps[0][:] = 0.95
    maps[1][1::2] = offset  # of centres and sides
    for line in column_outlines(*maps, (32, 64)):
        assert np.isfinite(line.points).all()


@pytest.mark.filterwarnings("error")
def test_logits_of_any_size_are_probabilities_and_infinite_ones_are_told() -> None:
    offsets = np.zeros((1, 56, 2, 2), np.float32)
    logits = np.full((1, 28, 2, 2), 3e38, np.float32)
    logits[:, ::2] = -3e38
    assert (text_columns({"logits": logits, "offsets": offsets}, (32, 32)).scores == 1).all()
    for value in (np.inf, -np.inf, np.nan):
        logits[0, 5, 1, 1] = value
        with pytest.raises(DataError, match="inf or nan"):
            text_columns({"logits": logits, "offsets": offsets}, (32, 32))


@pytest.mark.parametrize(("part", "value"), [(1, 100), (1, -100), (3, -50)])
def test_lines_outside_the_picture_or_without_height_are_not_given(part: int, value: float) -> None:
    scores, offsets = np.full((1, 14, *CELLS), 0.95, np.float32), np.zeros((1, 56, *CELLS))
    offsets[:, part::4] = value  # of all heights: those that stay lie on the edge, or are lines
    row = Row(
        {"image": np.zeros((3, *SIZE), np.float32)},
        DetectorInput(Geometry(SIZE, SIZE, 0, 0), RegionContract()),
    )
    form = TextColumns(scores, offsets.astype(np.float32))
    (found,) = interpret_texts(form, [row], TextDetectionOptions())
    for area in found:
        x, y = np.array(area.polygon).T
        assert x.max() > x.min()
        assert y.max() > y.min()
    assert column_outlines(scores[0], form.offsets[0], SIZE) != []  # there were some


@pytest.mark.slow
def test_its_exports_predict(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ms.set_seed(0)
    net = zoohub.load("ctpn")
    # A network that has not learned says the same of all: have it say that there is text.
    bias = np.zeros(28, np.float32)
    bias[9] = 8  # the anchor of 16 pixels
    net.head.rpn_cls.bias.set_data(ms.Tensor(bias))
    picture = tmp_path / "a.png"
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (300, 500, 3), dtype=np.uint8)).save(picture)
    polygons = []
    for suffix in ("onnx", "mindir"):
        file = zoohub.export(net, tmp_path / f"a.{suffix}", size=(64, 128), check=True)
        (found,) = zoohub.predict(file, picture)
        polygons.append([area.polygon for area in found.predictions])
    assert polygons[0] == polygons[1]
    assert len(polygons[0]) == 4  # a line in each row of cells
