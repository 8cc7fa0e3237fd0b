"""The registry is data, agrees with the functions it names, and needs no MindSpore."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from zoohub.errors import NetworkNotAvailable
from zoohub.networks.registry import Builder, builders, find_builder


@pytest.mark.parametrize("builder", builders(), ids=lambda builder: builder.name)
def test_registered_arguments_are_those_of_the_function_and_fit_its_defaults(
    builder: Builder,
) -> None:
    parameters = inspect.signature(builder.load()).parameters
    assert list(builder.arguments) == list(parameters)
    for name, kind in builder.arguments.items():
        assert isinstance(parameters[name].default, kind)


def test_the_registry_is_read_without_mindspore() -> None:
    code = "import sys, zoohub.networks.registry; sys.exit('mindspore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_network_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(NetworkNotAvailable, match=r"resnet9000.*resnet, yolov5"):
        find_builder("resnet9000")


@pytest.mark.parametrize("builder", builders(), ids=lambda builder: builder.name)
def test_every_rule_is_a_regular_expression_with_a_fitting_replacement(builder: Builder) -> None:
    for layout in builder.layouts.values():
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
    rules = find_builder("yolov5_focus").layouts["models"].rules
    match, replacement = next(
        (match, replacement)
        for pattern, replacement in rules
        if (match := re.fullmatch(pattern, published))
    )
    assert match.expand(replacement) == own
