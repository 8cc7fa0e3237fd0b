"""What goes where, and what is refused: decided on tables alone."""

from __future__ import annotations

import dataclasses

import pytest

from tests.html_reading import Reading
from zoohub.checkpoint import TensorInfo, plan_apply
from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.planning import Leeway
from zoohub.errors import CheckpointMismatch


def table(**shapes: tuple[int, ...]) -> dict[str, TensorInfo]:
    """`fc_weight=(2, 3)` -> a float32 tensor `fc.weight`."""
    return {n.replace("_", "."): TensorInfo(s, "float32") for n, s in shapes.items()}


NETWORK = table(conv_weight=(4, 3), fc_weight=(5, 4), fc_bias=(5,))


def test_equal_tables_are_assigned_one_to_one() -> None:
    plan = plan_apply(NETWORK, NETWORK, source="a.ckpt")
    assert [(a.name, a.source, a.cast) for a in plan.assignments] == [
        (name, name, False) for name in NETWORK
    ]
    assert plan.fresh == ()
    assert plan.report.complete
    assert str(plan.report) == "3 parameters loaded from a.ckpt"


def test_a_report_is_a_table_in_a_notebook() -> None:
    file = table(conv_weight=(4, 3), fc_weight=(9, 4), fc_bias=(9,))
    plan = plan_apply(NETWORK, file, Leeway(replaced=("fc",)), source="<b>.ckpt")
    read = Reading(plan.report._repr_html_())
    assert read.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert read.words[0] == "<b>.ckpt"
    at = read.words.index("newly initialised, as asked")
    assert read.words[at + 1 : at + 3] == ["2", "fc.weight, fc.bias"]


def test_a_plan_and_its_report_cannot_be_changed() -> None:
    plan = plan_apply(NETWORK, NETWORK)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.fresh = ("x",)  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.report.loaded = ()  # type: ignore[misc]


def test_all_kinds_of_misfit_are_named_at_once() -> None:
    file = table(conv_weight=(4, 1), fc_weight=(5, 4), other_weight=(1,))
    with pytest.raises(CheckpointMismatch) as caught:
        plan_apply(NETWORK, file, source="a.ckpt")
    assert str(caught.value) == (
        "a.ckpt does not fit the network (1 parameter would):\n"
        "  1 missing: fc.bias\n"
        "  1 unexpected: other.weight\n"
        "  1 misshapen: conv.weight (file (4, 1), network (4, 3))\n"
        "Check the model's name and arguments; strict=False loads what fits."
    )


def test_up_to_ten_of_each_are_named() -> None:
    network = {**NETWORK, **{f"extra{i:02}": TensorInfo((1,), "float32") for i in range(12)}}
    with pytest.raises(CheckpointMismatch, match=r"12 missing: extra00, .*, extra09 and 2 more"):
        plan_apply(network, NETWORK)


@pytest.mark.parametrize("shapes", [((10, 1), (10,)), ((), (1,)), ((2, 3), (3, 2)), ((6,), (2, 3))])
def test_shapes_must_be_equal_not_similar(shapes: tuple[tuple[int, ...], ...]) -> None:
    network = {**table(w=shapes[1]), **NETWORK}
    with pytest.raises(CheckpointMismatch, match="1 misshapen: w"):
        plan_apply(network, {**table(w=shapes[0]), **NETWORK})


@pytest.mark.parametrize("classes", [3, 1001])
def test_a_head_of_other_classes_is_replaced_whole(classes: int) -> None:
    file = table(conv_weight=(4, 3), fc_weight=(classes, 4), fc_bias=(classes,))
    plan = plan_apply(NETWORK, file, Leeway(replaced=("fc",)))
    assert plan.report.loaded == ("conv.weight",)
    assert plan.report.replaced == plan.fresh == ("fc.weight", "fc.bias")
    assert plan.report.left_out == ("fc.weight", "fc.bias")
    assert plan.report.complete


def test_a_head_that_fits_is_loaded_though_it_might_be_replaced() -> None:
    assert plan_apply(NETWORK, NETWORK, Leeway(replaced=("fc",))).report.replaced == ()


def test_a_head_with_one_misfit_is_replaced_whole() -> None:
    file = table(conv_weight=(4, 3), fc_weight=(5, 4))
    assert plan_apply(NETWORK, file, Leeway(replaced=("fc",))).report.replaced == (
        "fc.weight",
        "fc.bias",
    )


def test_only_the_prefix_that_was_asked_for_is_exempt() -> None:
    file = table(conv_weight=(9, 3), fc_weight=(9, 4), fc_bias=(9,))
    with pytest.raises(CheckpointMismatch, match=r"1 misshapen: conv\.weight") as caught:
        plan_apply(
            {**NETWORK, **table(ok=(1,))}, {**file, **table(ok=(1,))}, Leeway(replaced=("fc",))
        )
    assert "fc" not in str(caught.value)


def test_a_prefix_ends_at_a_dot() -> None:
    network = table(fc_weight=(5, 4), fc1_weight=(5, 4), ok=(1,))
    file = table(fc_weight=(3, 4), fc1_weight=(3, 4), ok=(1,))
    with pytest.raises(CheckpointMismatch, match=r"1 misshapen: fc1\.weight"):
        plan_apply(network, file, Leeway(replaced=("fc",)))


def test_a_network_without_a_head_leaves_the_files_head_out() -> None:
    plan = plan_apply(table(conv_weight=(4, 3)), NETWORK, Leeway(unused=("fc",)))
    assert plan.report.left_out == ("fc.weight", "fc.bias")
    assert plan.report.complete
    with pytest.raises(CheckpointMismatch, match="1 unexpected: fd"):
        plan_apply(table(conv_weight=(4, 3)), {**NETWORK, **table(fd=(1,))}, Leeway(unused=("fc",)))


def test_an_empty_prefix_leaves_everything_else_out_but_misses_nothing_silently() -> None:
    assert plan_apply(table(conv_weight=(4, 3)), NETWORK, Leeway(unused=("",))).report.complete
    with pytest.raises(CheckpointMismatch, match="1 missing: bn"):
        plan_apply(table(conv_weight=(4, 3), bn=(4,)), NETWORK, Leeway(unused=("",)))


def test_names_are_renamed_before_they_are_compared() -> None:
    file = table(conv_weight=(4, 3), head_weight=(5, 4), head_bias=(5,))
    plan = plan_apply(NETWORK, file, layout=Layout(rules=((r"head\.(.+)", r"fc.\1"),)))
    assert plan.report.renamed == {"head.weight": "fc.weight", "head.bias": "fc.bias"}
    assert [a.source for a in plan.assignments] == ["conv.weight", "head.weight", "head.bias"]


def test_constants_that_a_file_may_lack_are_kept() -> None:
    network = {**NETWORK, **table(anchors=(3,))}
    plan = plan_apply(network, NETWORK, Leeway(constants=("anchors",)))
    assert plan.report.kept == ("anchors",)
    assert plan.report.complete
    assert plan_apply(network, network, Leeway(constants=("anchors",))).report.kept == ()
    with pytest.raises(CheckpointMismatch, match="1 misshapen: anchors"):
        plan_apply(network, {**NETWORK, **table(anchors=(4,))}, Leeway(constants=("anchors",)))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("float16", "float32"), ("bfloat16", "float32"), ("float64", "float16"), ("int64", "int32")],
)
def test_types_of_one_kind_convert_and_are_reported(given: str, wanted: str) -> None:
    plan = plan_apply({"w": TensorInfo((2,), wanted)}, {"w": TensorInfo((2,), given)})
    assert plan.assignments[0].cast
    assert f"1 cast: w ({given} to {wanted})" in str(plan.report)


@pytest.mark.parametrize(
    ("given", "wanted"), [("int32", "float32"), ("bool", "int32"), ("complex64", "float32")]
)
def test_types_of_different_kinds_do_not_convert(given: str, wanted: str) -> None:
    with pytest.raises(CheckpointMismatch, match=rf"w \(file {given}, network {wanted}\)"):
        plan_apply({"w": TensorInfo((2,), wanted)}, {"w": TensorInfo((2,), given)})


def test_not_strict_skips_what_does_not_fit_and_says_so() -> None:
    file = table(conv_weight=(4, 3), fc_weight=(9, 4), other=(1,))
    plan = plan_apply(NETWORK, file, Leeway(strict=False))
    assert [a.name for a in plan.assignments] == ["conv.weight"]
    assert plan.fresh == ("fc.bias", "fc.weight")
    assert not plan.report.complete
    for words in ("1 MISSING", "1 UNEXPECTED", "1 MISSHAPEN"):
        assert words in str(plan.report)


def test_a_file_that_fits_nowhere_is_refused_even_when_not_strict() -> None:
    with pytest.raises(CheckpointMismatch, match="no parameter of b fits the network"):
        plan_apply(NETWORK, table(x=(1,)), Leeway(strict=False), source="b")


def test_missing_weights_are_never_taken_from_the_optimiser() -> None:
    file = {**NETWORK, "moments.fc.weight": TensorInfo((5, 4), "float32")}
    del file["fc.weight"]
    with pytest.raises(CheckpointMismatch, match=r"1 missing: fc\.weight"):
        plan_apply(NETWORK, file)


def test_an_averaged_set_is_pointed_out_when_weights_are_missing() -> None:
    file = {f"ema.{name}": info for name, info in NETWORK.items()} | table(conv_weight=(4, 3))
    with pytest.raises(CheckpointMismatch, match=r"also has an averaged set \(ema\.\*\)"):
        plan_apply(NETWORK, file)
    assert plan_apply(NETWORK, file, ema=True).report.complete


def test_what_only_training_uses_may_be_absent_as_a_whole() -> None:
    network = {**NETWORK, **table(aux_weight=(2, 2), aux_bias=(2,))}
    plan = plan_apply(network, NETWORK, Leeway(training_only=("aux",)), source="a.ckpt")
    assert plan.report.complete
    assert plan.report.untrained == plan.fresh == ("aux.weight", "aux.bias")
    assert str(plan.report) == (
        "3 parameters loaded from a.ckpt\n"
        "2 of training alone, not in the file, newly initialised: aux.weight, aux.bias"
    )
    whole = plan_apply(network, network, Leeway(training_only=("aux",)))
    assert whole.report.untrained == whole.fresh == ()
    half = {**NETWORK, **table(aux_weight=(2, 2))}
    with pytest.raises(CheckpointMismatch, match=r"1 missing: aux\.bias"):
        plan_apply(network, half, Leeway(training_only=("aux",)))
    with pytest.raises(CheckpointMismatch, match=r"1 missing: fc\.bias"):
        plan_apply(
            network, table(conv_weight=(4, 3), fc_weight=(5, 4)), Leeway(training_only=("aux",))
        )
