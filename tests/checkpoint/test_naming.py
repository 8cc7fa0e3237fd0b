"""Renaming rules, training state, averaged weights, and which scheme a file follows."""

from __future__ import annotations

import pytest

from zoohub.checkpoint import detect_layout, rename
from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.naming import is_training_state
from zoohub.errors import CheckpointMismatch

OLD = Layout(
    rules=(
        (r"(.*\.)?down_sample_layer\.(.+)", r"\1down_sample.\2"),
        (r"end_point\.(.+)", r"classifier.\1"),
        (r"end_(.+)", r"never.\1"),
    ),
    drop=(r"aux\..+",),
)


def test_the_first_rule_that_matches_the_whole_name_is_applied_once() -> None:
    names = ["layer1.down_sample_layer.0.weight", "end_point.bias", "conv1.weight"]
    assert dict(rename(names, OLD).names) == {
        "layer1.down_sample_layer.0.weight": "layer1.down_sample.0.weight",
        "end_point.bias": "classifier.bias",
        "conv1.weight": "conv1.weight",
    }


def test_a_rule_must_match_the_whole_name() -> None:
    layout = Layout(rules=((r"fc", "head"),))
    assert dict(rename(["fc.weight"], layout).names) == {"fc.weight": "fc.weight"}


def test_two_names_that_become_one_are_an_error() -> None:
    with pytest.raises(CheckpointMismatch, match=r"'classifier\.bias' and 'end_point\.bias' both"):
        rename(["classifier.bias", "end_point.bias"], OLD)


def test_names_to_drop_are_left_out() -> None:
    result = rename(["aux.fc.weight", "fc.weight"], OLD)
    assert result.left_out == ("aux.fc.weight",)
    assert result.renamed == {}


@pytest.mark.parametrize(
    "name",
    [
        *("moments.conv1.weight", "moment1.fc.bias", "moment2.fc.bias", "adam_m.fc.weight"),
        *("adam_v.fc.weight", "global_step", "learning_rate", "epoch_num", "step_num"),
        *("loss_scale", "accum.fc.weight", "optimizer.global_step"),
    ],
)
def test_training_state_is_left_out(name: str) -> None:
    assert is_training_state(name)
    assert rename([name, "fc.weight"]).left_out == (name,)


@pytest.mark.parametrize(
    "name",
    [
        *("conv1.weight", "moment.weights", "learning_rate_embedding.weight", "stat.weight"),
        *("model.model.24.m.0.weight", "bn.moving_mean", "layer_scale_1", "step_num.weight"),
    ],
)
def test_weights_are_no_training_state(name: str) -> None:
    assert is_training_state(name) == name.startswith("moment.")


def test_a_networks_own_names_are_never_training_state() -> None:
    assert rename(["learning_rate"], keep=["learning_rate"]).left_out == ()


FILE = ["ema.fc.weight", "ema.bn.gamma", "fc.weight", "fc.bias"]


def test_the_averaged_set_is_left_out() -> None:
    result = rename(FILE)
    assert list(result.names) == ["fc.weight", "fc.bias"]
    assert result.left_out == ("ema.fc.weight", "ema.bn.gamma")


def test_the_averaged_set_takes_the_place_of_the_plain_one_when_asked_for() -> None:
    result = rename(FILE, ema=True)
    assert dict(result.names) == {
        "ema.fc.weight": "fc.weight",
        "ema.bn.gamma": "bn.gamma",
        "fc.bias": "fc.bias",
    }
    assert result.left_out == ("fc.weight",)


def test_averaged_names_are_renamed_by_the_same_rules() -> None:
    assert rename(["ema.end_point.bias"], OLD, ema=True).names["ema.end_point.bias"] == (
        "classifier.bias"
    )


LAYOUTS = {"new": Layout(), "old": OLD, "older": Layout(rules=((r"head\.(.+)", r"classifier.\1"),))}
NETWORK = ["conv1.weight", "classifier.weight", "classifier.bias"]


@pytest.mark.parametrize(
    ("head", "layout"), [("classifier", ""), ("end_point", "old"), ("head", "older")]
)
def test_the_scheme_is_the_one_that_gives_the_networks_names(head: str, layout: str) -> None:
    names = ["conv1.weight", f"{head}.weight", f"{head}.bias", "moments.conv1.weight"]
    assert detect_layout(names, LAYOUTS, NETWORK) == layout


@pytest.mark.parametrize(("head", "layout"), [("classifier", ""), ("end_point", "old")])
def test_without_the_network_the_scheme_is_the_one_whose_rules_match(
    head: str, layout: str
) -> None:
    assert detect_layout(["conv1.weight", f"{head}.bias"], LAYOUTS) == layout


def test_a_file_of_another_network_fits_no_scheme() -> None:
    with pytest.raises(CheckpointMismatch, match=r"into net's \(tried: new, old, older\); .* x\.y"):
        detect_layout(["x.y"], LAYOUTS, NETWORK, family="net")
