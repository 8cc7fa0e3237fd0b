"""Prefixes, training state and averaged sets: found on the network's own table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pytest

from zoohub.checkpoint import TensorInfo, plan_apply
from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.matching import match
from zoohub.checkpoint.naming import Renaming
from zoohub.errors import CheckpointMismatch

Table = dict[str, TensorInfo]

SHAPES = {
    "features.0.weight": (8, 3, 3, 3),
    "features.1.gamma": (8,),
    "features.1.beta": (8,),
    "features.1.moving_mean": (8,),
    "features.1.moving_variance": (8,),
    "classifier.weight": (5, 8),
    "classifier.bias": (5,),
}
NETWORK: Table = {name: TensorInfo(shape, "float32") for name, shape in SHAPES.items()}
TRAINED = [name for name in SHAPES if "moving" not in name]
BARE = {name: info for name, info in NETWORK.items() if "features.1" not in name}
OLD = Layout(
    rules=((r"^backbone\.(.+)$", r"features.\1"), (r"^end_point\.(.+)$", r"classifier.\1"))
)
LAYOUTS = {"": Layout(), "old": OLD}
NUMBER, VECTOR = TensorInfo((), "float32"), TensorInfo((3,), "float32")


def behind(prefix: str, names: Iterable[str] = NETWORK, table: Table = NETWORK) -> Table:
    return {prefix + name: table[name] for name in names}


def reads(file: Mapping[str, TensorInfo], network: Table = NETWORK, **options: object) -> Renaming:
    """The names found, all of the network's among them."""
    found = match(file, network, LAYOUTS, family="net", **options)  # type: ignore[arg-type]
    assert sorted(found.names.values()) == sorted(network)
    plan = plan_apply(network, file, renaming=found)
    assert plan.report.complete
    return found


PREFIXES = [
    *("network.", "module.", "backbone.", "_backbone.", "model.", "net.", "ema."),
    *("network._backbone.", "network.network.", "yolo_network.", "centerface_network."),
    *("comatch_network.encode.", "myTrainOneStepCellForG.network.netG.generator."),
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("network", [NETWORK, BARE], ids=["with norms", "without"])
def test_one_prefix_before_all_names_is_found_and_said(prefix: str, network: Table) -> None:
    file = behind(prefix, network)
    found = reads(file, network)
    assert found.prefix == prefix
    report = plan_apply(network, file, renaming=found).report
    assert f"the prefix {prefix!r} of the file's names was taken off" in str(report)


@pytest.mark.parametrize("prefix", ["network.", "module.", "net._backbone."])
def test_a_prefix_goes_together_with_a_scheme(prefix: str) -> None:
    old = {
        n.replace("features", "backbone").replace("classifier", "end_point"): i
        for n, i in NETWORK.items()
    }
    found = reads(behind(prefix, old, old))
    assert (found.layout, found.prefix) == ("old", prefix)


@pytest.mark.parametrize("prefix", ["network.", "model."])
def test_a_prefix_that_only_the_network_has_is_put_there(prefix: str) -> None:
    wrapped = behind(prefix)
    assert reads(NETWORK, wrapped).added == prefix
    other = reads(behind("module."), wrapped)
    assert (other.prefix, other.added) == ("module.", prefix)


def test_a_wrapper_around_a_part_leaves_the_other_names_alone() -> None:
    file = behind("network.", [n for n in NETWORK if n.startswith("features")])
    file |= {n: i for n, i in NETWORK.items() if n.startswith("classifier")}
    assert reads(file).prefix == "network."


@pytest.mark.parametrize("trained", ["", "optimizer."])
def test_a_prefix_on_the_rest_of_the_names_is_taken_off_and_said(trained: str) -> None:
    rest = [name for name in NETWORK if name not in TRAINED]
    file = behind(trained, TRAINED) | behind("network.", rest)
    file |= {f"{trained}moment1.{n}": VECTOR for n in TRAINED} | {"network.epoch": NUMBER}
    found = reads(file)
    report = plan_apply(NETWORK, file, renaming=found).report
    assert f"the prefix {trained or 'network.'!r} of {5 if trained else 2} of the" in str(report)
    assert len(report.training_state) == len(TRAINED) + 1


@pytest.mark.parametrize(
    "name", ["network.extra.weight", "extra.weight", "network.features.1.beta"]
)
def test_it_stays_where_other_names_have_no_place(name: str) -> None:
    rest = [n for n in NETWORK if n not in TRAINED]
    file = behind("", TRAINED) | behind("network.", rest) | {name: VECTOR}
    found = match(file, NETWORK, LAYOUTS, family="net")
    with pytest.raises(CheckpointMismatch, match=r"2 missing: .*moving_mean"):
        plan_apply(NETWORK, file, renaming=found)


@pytest.mark.parametrize("pair", [("student.", "teacher."), ("model_a.", "model_b.")])
def test_two_sets_that_fit_are_named_and_can_be_chosen(pair: tuple[str, str]) -> None:
    file = behind(pair[0]) | behind(pair[1])
    with pytest.raises(CheckpointMismatch) as caught:
        reads(file, source="my.ckpt")
    assert "my.ckpt has several sets of names that fit" in str(caught.value)
    assert all(repr(prefix) in str(caught.value) for prefix in pair)
    for prefix, other in (pair, pair[::-1]):
        found = reads(file, prefix=prefix)
        assert set(found.left_out) == set(behind(other))


def test_a_prefix_that_is_asked_for_and_not_there_is_refused() -> None:
    with pytest.raises(CheckpointMismatch, match="no naming scheme turns"):
        reads(NETWORK | behind("x.", ["classifier.bias"]), prefix="y.")


# Training state. The slots are those of every optimiser, and one of nobody's.
SLOTS = [
    *("moments.", "momentum.", "stat.", "accum.", "moment1.", "adam_m.", "lamb_v.", "exp_avg."),
    *("mean_square.", "moment.", "prev.", "step_size.", "linear.", "accum_update.", "ax_."),
    *("eta_", "mu_", "exp_avg_sq_row_", "grad_acc.", "optimizer.moment1.", "lookahead.slow."),
]


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("before", ["", "network."])
@pytest.mark.parametrize("inside", [False, True])
def test_what_repeats_the_weights_names_is_training_state(
    slot: str, before: str, inside: bool
) -> None:
    names = [before + name for name in TRAINED]
    state = {
        f"{before}{slot}{n.removeprefix(before)}" if inside else slot + n: VECTOR for n in names
    }
    found = reads(behind(before) | state)
    assert found.state == tuple(state)
    assert found.prefix == before


@pytest.mark.parametrize("slot", [".momentum", "_exp_avg", ".m", "_accum", ".grad_acc"])
def test_a_slots_name_may_stand_behind_the_weights(slot: str) -> None:
    state = {name + slot: VECTOR for name in TRAINED}
    assert reads(NETWORK | state).state == tuple(state)


@pytest.mark.parametrize("slot", ["moments.", "stat.", "prev.", "eta_", "exp_avg."])
def test_a_frozen_networks_optimiser_has_state_for_the_head_only(slot: str) -> None:
    state = {f"{slot}classifier.{leaf}": VECTOR for leaf in ("weight", "bias")}
    assert reads(NETWORK | state).state == tuple(state)


NUMBERS = [
    *(
        "global_step",
        "epoch",
        "learning_rate",
        "lr",
        "momentum",
        "fake_param",
        "best_acc",
        "anything",
    ),
    *("scale_sense", "current_iterator_step", "last_overflow_iterator_step", "beta1_power"),
    *("optimizer.global_step", "loss_scale_manager.cur_iter", "scaler.growth", "network.epoch"),
]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_no_layer_is_training_state(name: str) -> None:
    assert reads(NETWORK | {name: NUMBER}).state == (name,)


@pytest.mark.parametrize("name", ["afactor_step", "global_step", "beta2_power", "loss_scale"])
def test_a_list_of_one_is_if_its_name_counts_something(name: str) -> None:
    assert reads(NETWORK | {name: TensorInfo((1,), "float32")}).state == (name,)


@pytest.mark.parametrize("name", ["learning_rate", "learning_rate_group_0", "lr"])
def test_a_schedule_is_training_state(name: str) -> None:
    assert reads(NETWORK | {name: VECTOR}).state == (name,)


UNEXPECTED = [
    *("aux.classifier.weight", "features.2.weight", "classifier2.bias", "extra", "pool.p"),
    *("layer.features.0.weight", "prelu.w", "ema_attention.conv.weight", "stat.weight"),
    *("head.moments", "classifier.weight_g", "module.classifier.bias"),
]


@pytest.mark.parametrize("name", UNEXPECTED)
def test_weights_that_the_network_lacks_stay_unexpected(name: str) -> None:
    file = NETWORK | {
        name: TensorInfo((1,) if name in ("pool.p", "prelu.w") else (5, 8), "float32")
    }
    found = match(file, NETWORK, LAYOUTS, family="net")
    with pytest.raises(CheckpointMismatch, match=rf"1 unexpected: {name}"):
        plan_apply(NETWORK, file, renaming=found)


def test_a_deeper_network_of_the_same_family_stays_unexpected() -> None:
    blocks = {
        f"layer{i}.{n}": TensorInfo((4, 4), "float32")
        for i in range(3)
        for n in ("conv.weight", "bn.gamma")
    }
    network = {**NETWORK, **blocks, "conv.weight": TensorInfo((4, 3), "float32")}
    file = network | {
        f"layer{i}.{n}": TensorInfo((4, 4), "float32")
        for i in (3, 4)
        for n in ("conv.weight", "bn.gamma")
    }
    found = match(file, network, LAYOUTS, family="net")
    with pytest.raises(CheckpointMismatch, match="4 unexpected"):
        plan_apply(network, file, renaming=found)


def test_a_missing_weight_is_never_taken_from_a_slot_or_an_average() -> None:
    for slot, name in itertools.product(("moments.", "stat.", "ema.", "foo."), TRAINED):
        file = NETWORK | behind(slot)
        del file[name]
        with pytest.raises(CheckpointMismatch, match=f"1 missing: {name}|parameters twice, as"):
            plan_apply(NETWORK, file, renaming=match(file, NETWORK, LAYOUTS, family="net"))


def test_a_file_of_slots_alone_does_not_fit() -> None:
    with pytest.raises(CheckpointMismatch, match="no naming scheme"):
        reads(behind("moments.", TRAINED))


def test_the_report_counts_and_names_what_was_left_out() -> None:
    file = NETWORK | {f"moments.{n}": VECTOR for n in TRAINED} | {"epoch": NUMBER}
    report = plan_apply(NETWORK, file).report
    assert len(report.training_state) == len(TRAINED) + 1
    assert "6 of training's state in the file, left out: moments.features.0.weight, " in str(report)
    assert "in the file, left out:" not in str(report).replace("state in the file, left out:", "")


AVERAGES = ["ema.", "model_ema.", "ema.network.", "network.ema.", "ema_model.module.", "swa."]


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("before", ["", "network."])
def test_the_average_is_left_out_unless_it_is_asked_for(average: str, before: str) -> None:
    file = behind(before) | behind(average)
    assert set(reads(file).left_out) == set(behind(average))
    found = reads(file, ema=True)
    assert set(found.left_out) == set(behind(before))
    assert found.state == ()


def test_weights_without_an_average_of_their_own_are_the_plain_ones() -> None:
    average = behind("ema.", TRAINED)
    found = reads(NETWORK | average, ema=True)
    assert set(found.left_out) == set(TRAINED)
    assert found.names["features.1.moving_mean"] == "features.1.moving_mean"


def test_an_average_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CheckpointMismatch, match=r"x\.ckpt has no averaged weights \(ema\.\*\)"):
        reads(NETWORK, ema=True, source="x.ckpt")
