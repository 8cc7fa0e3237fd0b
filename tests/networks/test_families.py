"""Families are data, agree with the functions they name, and need no MindSpore."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from zoohub.errors import NetworkNotAvailable
from zoohub.networks.families import family_names, find_family


@pytest.mark.parametrize("name", family_names())
def test_a_familys_arguments_are_those_of_its_builder_and_fit_the_defaults(name: str) -> None:
    check_arguments(name)


def check_arguments(name: str) -> None:
    family = find_family(name)
    assert family.name == name
    parameters = inspect.signature(family.load()).parameters
    assert list(family.arguments) == list(parameters)
    for argument in family.arguments:
        assert family.misfit(argument, parameters[argument].default) is None


def test_families_are_read_without_mindspore() -> None:
    code = (
        "import sys; from zoohub.networks.families import family_names, find_family\n"
        "[find_family(name) for name in family_names()]; sys.exit('mindspore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_network_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(NetworkNotAvailable, match=r"resnet9000.* resnet,.* yolov5,"):
        find_family("resnet9000")


@pytest.mark.parametrize("name", family_names())
def test_every_rule_is_a_regular_expression_with_a_fitting_replacement(name: str) -> None:
    check_rules(name)


def check_rules(name: str) -> None:
    for layout in find_family(name).layouts.values():
        for pattern, replacement in layout.rules:
            groups = re.compile(pattern).groups
            used = {int(number) for number in re.findall(r"\\(\d)", replacement)}
            assert used == set(range(1, groups + 1)), pattern


@pytest.mark.parametrize(
    ("published", "own"),
    [
        (
            "yolo_network.feature_map.backbone.CSP1.m.0.conv1.bn.gamma",
            "feature_map.backbone.CSP1.m.0.conv1.bn.gamma",
        ),
        (
            "feature_map.backbone.focusv2.conv.conv.weight",
            "feature_map.backbone.focus.conv.conv.weight",
        ),
        (
            "feature_map.backbone.C32.m.1.cv2.conv.weight",
            "feature_map.backbone.CSP2.m.1.conv2.conv.weight",
        ),
        ("feature_map.backbone.spp.cv1.bn.beta", "feature_map.backbone.spp.conv1.bn.beta"),
        ("feature_map.C34.cv3.bn.moving_mean", "feature_map.CSP8.conv3.bn.moving_mean"),
        ("yolo_network.feature_map.backblock2.cv.bias", "feature_map.back_block2.conv.bias"),
    ],
)
def test_the_first_yolov5s_older_names_become_the_newer_ones(published: str, own: str) -> None:
    rules = find_family("yolov5_focus").layouts["models"].rules
    match, replacement = next(
        (match, replacement)
        for pattern, replacement in rules
        if (match := re.fullmatch(pattern, published))
    )
    assert match.expand(replacement) == own
