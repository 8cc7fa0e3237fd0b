"""Tokens and boxes become a table in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from tests.html_reading import Reading
from zoohub.errors import DataError, UsageError
from zoohub.inputs.picture import Geometry, Transform
from zoohub.manifest.entry import InputContract
from zoohub.manifest.opening import open_index
from zoohub.models.class_names import class_names
from zoohub.outputs import ClassScores
from zoohub.outputs.table_tokens import TableTokens, table_tokens
from zoohub.settings import load_settings
from zoohub.tasks.contract import Row
from zoohub.tasks.finding import find_task
from zoohub.tasks.table_recognition.interpret import Table, TableOptions
from zoohub.tasks.table_recognition.structure import as_html

TASK = find_task("table-recognition")
NAMES = class_names("table-html <UKN> <SOS> <EOS> <PAD>")
PICTURE = (300, 600)  # (height, width), of which 240×480 pixels are in the input
HEADED = [
    "<thead>", "<tr>", "<td></td>", "<td", ' colspan="2"', ">", "</td>", "</tr>", "</thead>",
    "<tbody>", "<tr>", "<eb></eb>", "<td></td>", "<eb3></eb3>", "</tr>", "</tbody>",
]  # fmt: skip
PAGE = (
    "<html><body><table><thead><tr><td></td>"
    '<td colspan="2"></td></tr></thead><tbody><tr><td></td><td></td><td></td></tr></tbody>'
    "</table></body></html>"
)


def tables_of(
    tokens: Sequence[str],
    boxes: dict[int, Sequence[float]] | None = None,
    *,
    likely: float = 0.9,
    options: TableOptions | None = None,
    names: tuple[str, ...] | None = NAMES,
) -> tuple[Table, ...]:
    """What the task makes of steps whose best tokens these are."""
    probabilities = np.full((1, len(tokens), len(NAMES)), 0.001, np.float32)
    shares = np.zeros((1, len(tokens), 4), np.float32)
    for step, token in enumerate(tokens):
        probabilities[0, step, NAMES.index(token)] = likely
        shares[0, step] = (boxes or {}).get(step, (0, 0, 0, 0))
    form = TableTokens(probabilities, shares, (480, 480))
    row = Row({}, Geometry(PICTURE, (240, 480), 0, 0))
    (found,) = TASK.interpret(form, [row], names, options or TableOptions())
    return found


def test_the_classes_are_the_dictionary_and_four_more() -> None:
    assert len(NAMES) == 43
    assert NAMES[2] == "<td></td>"
    assert NAMES[8:10] == ("<td", ' colspan="5"')
    assert NAMES[-5:] == ("<eb10></eb10>", "<UKN>", "<SOS>", "<EOS>", "<PAD>")


def test_tokens_up_to_the_end_are_the_structure_and_those_of_cells_have_boxes() -> None:
    read = ["<SOS>", *HEADED, "<UKN>", "<PAD>", "<EOS>", "<td></td>"]
    (table,) = tables_of(read, {3: (0.25, 0.125, 0.1, 0.05), 4: (0.5, 0.25, 0.2, 0.1)})
    assert table.tokens == tuple(HEADED)
    assert table.html == PAGE
    assert [cell.token for cell in table.cells] == ["<td></td>", "<td", "<td></td>"]
    assert [HEADED[cell.place] for cell in table.cells] == [cell.token for cell in table.cells]
    # 480 padded pixels are 600 of the picture: a width of 60 about 150, a height of 30 about 75.
    np.testing.assert_allclose(table.cells[0].box, (120, 60, 180, 90), atol=1e-3)
    np.testing.assert_allclose(table.cells[1].box, (240, 120, 360, 180), atol=1e-3)
    assert table.score == pytest.approx(0.9)
    assert table.complete


def test_half_a_width_is_rounded_down_and_boxes_end_with_the_picture() -> None:
    (table,) = tables_of(["<td></td>"] * 2, {0: (0.5, 0.25, 0.0055, 0.0), 1: (0, 0.5, 0.1, 0.1)})
    x1, y1, x2, y2 = table.cells[0].box  # 3.3 pixels wide
    assert (x1, x2) == pytest.approx((299, 301), abs=1e-3)
    assert (y1, y2) == pytest.approx((150, 150), abs=1e-3)
    assert table.cells[1].box == pytest.approx((0, 270, 30, 300), abs=1e-3)
    assert not table.complete


def test_an_end_at_first_is_none_and_nothing_but_an_end_is_no_table() -> None:
    (table,) = tables_of(["<EOS>", "<tr>", "<td></td>", "</tr>", "<EOS>"])
    assert table.tokens == ("<tr>", "<td></td>", "</tr>")
    assert tables_of(["<SOS>", "<EOS>", "<td></td>"]) == ()
    assert TASK.lines(()) == ["nothing found"]


def test_a_threshold_leaves_out_what_is_hardly_a_table() -> None:
    read = ["<tr>", "<td></td>", "</tr>", "<EOS>"]
    assert tables_of(read, likely=0.4, options=TableOptions(threshold=0.5)) == ()
    assert len(tables_of(read, likely=0.6, options=TableOptions(threshold=0.5))) == 1


@pytest.mark.parametrize(
    ("tokens", "inner"),
    [
        ([], ""),
        (HEADED[:5], '<thead><tr><td></td><td colspan="2"></td></tr></thead>'),
        (HEADED[:6], '<thead><tr><td></td><td colspan="2"></td></tr></thead>'),
        (["<tr>", "<td></td>", "</tbody>", "<td></td>"], "<tr><td></td><td></td></tr>"),
        (["<thead>", "<tr>", "</thead>", "</tr>"], "<thead><tr></tr></thead>"),
        (["<tr>", ">", ' rowspan="2"', "<td", "<td></td>"], "<tr><td></td><td></td></tr>"),
        (["<td>", "<td", "<td>"], "<td></td><td></td><td></td>"),
        (
            ["<thead>", "<tr>", "<tr>", "<tbody>"],
            "<thead><tr></tr><tr></tr></thead><tbody></tbody>",
        ),
        (
            ["<tr>", "<td>", "<tbody>", "<td>", "<tr>"],
            "<tr><td></td></tr><tbody><td></td><tr></tr></tbody>",
        ),
        (["<script>", "</table>", "<td", ' onclick="x"', ' colspan="2"'], "<td></td>"),
    ],
)
def test_what_is_no_html_becomes_html(tokens: list[str], inner: str) -> None:
    page = as_html(tokens)
    assert page == f"<html><body><table>{inner}</table></body></html>"
    Reading(page)


def test_any_tokens_make_html_that_is_closed_where_it_should_be() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        chosen = random.integers(0, len(NAMES) - 4, random.integers(1, 30))
        tokens = [NAMES[index] for index in chosen]
        page = Reading(as_html(tokens, dict.fromkeys(range(0, 30, 2), "&<b>")))
        cells = [tag for tag, _ in page.elements].count("td")
        begun = [token for token in tokens if token.startswith(("<td", "<eb"))]
        assert cells == len(begun)
        assert set(page.words) <= {"&<b>"}


def test_a_table_as_json_and_as_lines() -> None:
    (table,) = tables_of([*HEADED, "<EOS>"], {2: (0.25, 0.125, 0.1, 0.05)})
    found = table.to_json()
    assert list(found) == ["html", "score", "cells", "complete"]
    assert found["html"] == PAGE
    assert found["score"] == 0.9
    assert found["complete"] is True
    assert isinstance(found["cells"], list)
    assert found["cells"][0] == {"box": [120.0, 60.0, 180.0, 90.0], "token": "<td></td>"}
    assert table.line() == f" 90.0%  table, 3 cells with content\n{PAGE}"
    (cut,) = tables_of(["<tr>", "<td></td>"])
    assert "1 cell with content, cut off after 2 tokens" in cut.line()


def test_what_is_no_table_of_known_tokens_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match=r"which tokens the network's classes are is not known"):
        tables_of(["<tr>"], names=None)
    with pytest.raises(DataError, match=r"gives 43 classes but 44 class names are known"):
        tables_of(["<tr>"], names=(*NAMES, "<more>"))
    row = Row({}, Geometry(PICTURE, (240, 480), 0, 0))
    with pytest.raises(DataError, match=r"expected a table's tokens .*; got ClassScores"):
        TASK.interpret(ClassScores(np.zeros((1, 43))), [row], NAMES, TableOptions())
    bad = TableTokens(np.full((1, 2, 43), np.nan, np.float32), np.zeros((1, 2, 4)), (480, 480))
    with pytest.raises(DataError, match="not finite"):
        TASK.interpret(bad, [row], NAMES, TableOptions())
    for tokens, boxes in (((1, 5, 43), (1, 4, 4)), ((1, 5, 4), (1, 5, 4)), ((5, 43), (5, 4))):
        raw = {"tokens": np.zeros(tokens), "boxes": np.zeros(boxes)}
        with pytest.raises(DataError, match="expected tokens"):
            table_tokens(raw, (480, 480))
    with pytest.raises(DataError, match=r"the network gives logits \(1, 43\)"):
        table_tokens({"logits": np.zeros((1, 43))}, (480, 480))


def test_a_picture_is_at_the_top_left_of_the_input_on_black() -> None:
    contract = open_index(load_settings()).resolve("table_master").entry.input
    assert contract is not None
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[..., 0] = 255  # red, the last of the input's channels
    prepared = Transform(contract).prepare(picture)
    array = prepared.array
    assert array.shape == (3, 480, 480)
    assert prepared.geometry.resized == (240, 480)
    assert (array[2, :240] == 1).all()
    assert (array[:2] == -1).all()
    assert (array[2, 240:] == -1).all()


def test_cells_are_drawn_where_they_are() -> None:
    tokens = ["<tr>", "<td></td>", "</tr>", "<EOS>"]
    tables = tables_of(tokens, {1: (0.5, 0.25, 0.5, 0.25)})
    picture = Image.new("RGB", (600, 300), "white")
    drawn = np.asarray(TASK.draw(picture, tables))
    changed = np.argwhere((drawn != 255).any(-1))
    assert changed.min(0).tolist() == [75, 150]
    assert changed.max(0).tolist() == [225, 450]
    assert (np.asarray(picture) == 255).all()
    assert (drawn[100:200, 200:400] == 255).all()


def test_a_network_that_reads_no_text_takes_no_characters() -> None:
    contract = InputContract(size=(480, 480), interpolation="bilinear", resize="letterbox")
    with pytest.raises(UsageError, match=r"--vocab .* is for the step of a pipeline that reads"):
        TASK.prepare(contract, TableOptions(vocab="characters.txt"))
    assert callable(TASK.prepare(contract, TableOptions()))
