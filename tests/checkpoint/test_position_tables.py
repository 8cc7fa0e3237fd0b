"""Tables of positions in grids of other sizes. None of this needs MindSpore."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.checkpoint.planning import Leeway, plan_apply
from zoohub.checkpoint.position_tables import (
    PositionTable,
    can_resize,
    find_table,
    resize_map,
    resize_position_embedding,
    resize_relative_table,
    resize_table,
)
from zoohub.checkpoint.weights import TensorInfo
from zoohub.errors import CheckpointMismatch
from zoohub.networks.families import family_names, find_family

RANDOM = np.random.default_rng(0)


def test_a_grid_of_the_same_size_stays_as_it_is() -> None:
    table = RANDOM.standard_normal((1, 17, 8)).astype(np.float32)
    assert np.array_equal(resize_position_embedding(table, (4, 4), (4, 4), 1), table)


def test_rows_before_the_grid_are_kept() -> None:
    table = RANDOM.standard_normal((1, 18, 8)).astype(np.float32)
    resized = resize_position_embedding(table, (4, 4), (6, 5), 2)
    assert resized.shape == (1, 32, 8)
    assert resized.dtype == np.float32
    assert np.array_equal(resized[:, :2], table[:, :2])


def test_what_is_the_same_everywhere_stays_the_same() -> None:
    assert np.allclose(resize_map(np.full((2, 3, 5), 7.0), (9, 2)), 7.0)


def test_a_mirrored_picture_gives_the_mirrored_result() -> None:
    picture = RANDOM.standard_normal((5, 7))
    assert np.allclose(
        resize_map(picture[::-1, ::-1], (8, 4)), resize_map(picture, (8, 4))[::-1, ::-1]
    )


def test_a_place_between_two_weighs_four_by_keys_kernel() -> None:
    """At a quarter of the way the weights are those of the kernel with a = -0.75."""
    line = np.zeros((1, 8))
    line[0, 3] = 1.0
    twice = resize_map(line, (1, 16))[0]  # places 2.25, 2.75, 3.25, 3.75 are 5 to 8
    assert np.allclose(twice[5:9], [0.26171875, 0.87890625, 0.87890625, 0.26171875])


def test_a_table_of_distances_has_a_row_for_each() -> None:
    table = RANDOM.standard_normal((13 * 13, 3))
    assert resize_relative_table(table, (7, 7), (8, 8)).shape == (15 * 15, 3)


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("map", (1, 4, 7, 7), (1, 4, 12, 12)),
        ("channels_last", (1, 7, 7, 4), (1, 12, 12, 4)),
        ("tokens", (1, 50, 4), (1, 145, 4)),
        ("relative", (49, 4), (81, 4)),
        ("pairs", (2, 16, 4), (2, 64, 16)),
    ],
)
def test_tables_of_each_form_get_the_shape_asked_for(
    form: str, old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    table = PositionTable("p", form, 1 if form == "tokens" else 0)  # type: ignore[arg-type]
    assert can_resize(old, new, table)
    resized = resize_table(np.ones(old, np.float32), new, table)
    assert resized.shape == new
    assert np.allclose(resized, 1.0)


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        (PositionTable("p", "computed"), (4, 4), (9, 9)),
        (PositionTable("p", "tokens", 1), (1, 50, 4), (1, 145, 8)),
        (PositionTable("p", "tokens", 1), (1, 48, 4), (1, 145, 4)),
    ],
)
def test_what_cannot_be_resized_is_refused(
    table: PositionTable, old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    assert not can_resize(old, new, table)


def test_pairs_of_places_keep_what_only_one_of_them_says() -> None:
    """A bias that depends on the place attended to alone is resized as that place's map."""
    attended = RANDOM.standard_normal((1, 9)).astype(np.float32)
    pairs = np.broadcast_to(attended[:, None, :], (1, 16, 9))
    resized = resize_table(pairs, (1, 36, 25), PositionTable("p", "pairs"))
    line = resize_table(attended[..., None], (1, 25, 1), PositionTable("p", "tokens"))
    assert np.allclose(resized, line[:, None, :, 0], atol=1e-6)


@pytest.mark.parametrize("strict", [True, False])
def test_a_plan_resizes_tables_only_where_another_size_was_asked_for(strict: bool) -> None:
    tables = (PositionTable("pos", "tokens", 1), PositionTable("mask", "computed"))
    file = {"pos": TensorInfo((1, 5, 2), "float32"), "mask": TensorInfo((3,), "float32")}
    network = {"pos": TensorInfo((1, 10, 2), "float32"), "mask": TensorInfo((4,), "float32")}
    plan = plan_apply(network, file, Leeway(tables=tables, strict=strict))
    assert [item.name for item in plan.report.resized] == ["pos"]
    assert plan.report.kept == plan.fresh == ("mask",)
    assert plan.report.left_out == ("mask",)
    assert plan.report.complete
    assert plan.assignments[0].table == tables[0]
    with pytest.raises(CheckpointMismatch, match="misshapen"):
        plan_apply(network, file, Leeway())


def test_families_name_their_tables() -> None:
    tables = {name: find_family(name).position_tables for name in family_names()}
    assert find_table(tables["vit"], "pos_embed") is not None
    assert find_table(tables["vit"], "cls_token") is None
    assert find_table(tables["resnet"], "pos_embed") is None
