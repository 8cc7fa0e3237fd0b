"""Detectors say which sizes of pictures they take."""

from __future__ import annotations

import pytest

from zoohub.errors import RecipeError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.families import find_family
from zoohub.tasks.finding import find_task


@pytest.mark.parametrize(
    ("family", "arguments", "multiple"),
    [
        ("yolov3", {}, 32),
        ("yolov5", {"size": "n"}, 32),
        ("yolov5", {"size": "n6"}, 64),
        ("yolov7", {"size": "tiny"}, 32),
        ("yolov7", {"size": "e6e"}, 64),
        ("yolov8", {"size": "x6"}, 64),
        ("yolox", {}, 32),
        ("yolov3_res2net", {}, 32),
        ("refinedet", {}, 64),
        ("efficientdet", {}, 128),
        ("retinanet", {"pyramid": "nas"}, 128),
        ("centernet_pose", {}, 32),
        ("resnet", {}, 1),
    ],
)
def test_a_size_must_be_a_multiple_of_the_stride(
    family: str, arguments: dict[str, object], multiple: int
) -> None:
    own = find_family(family)
    assert own.size_problem(arguments, (3 * multiple, 5 * multiple)) is None
    assert own.size_problem(arguments, None) is None
    for size in ((3 * multiple + 1, multiple), (multiple, multiple - 1)):
        problem = own.size_problem(arguments, size)
        if multiple == 1:
            assert problem is None
        else:
            assert problem is not None
            assert f"multiples of {multiple}, not {size[0]}x{size[1]}" in problem


def test_the_nearest_size_is_named() -> None:
    problem = find_family("yolov8").size_problem({"size": "n"}, (100, 10))
    assert problem is not None
    assert problem.endswith("not 100x10: 96x32 would do")


def test_a_recipe_of_another_size_is_refused() -> None:
    task = find_task("object-detection")
    spec = NetworkSpec("yolov8", {"size": "n"})
    task.check_network(spec, InputContract(size=(64, 96)))
    with pytest.raises(RecipeError, match=r"^input\.size: yolov8 takes pictures .* not 100x96"):
        task.check_network(spec, InputContract(size=(100, 96)))
