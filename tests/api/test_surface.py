"""What `import zoohub` shows, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import zoohub
from zoohub.errors import UsageError

pytestmark = pytest.mark.smoke


def test_the_public_names_are_these_and_all_can_be_had() -> None:
    assert sorted(zoohub.__all__) == [
        "__version__",
        "download",
        "evaluate",
        "export",
        "finetune",
        "get_weights",
        "info",
        "list_models",
        "load",
        "load_weights",
        "predict",
        "predict_stream",
        "search",
        "transforms",
    ]
    for name in zoohub.__all__:
        assert getattr(zoohub, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        zoohub.laod  # noqa: B018


def test_importing_zoohub_imports_nothing_heavy() -> None:
    code = (
        "import sys, zoohub;"
        "heavy = {'mindspore', 'numpy', 'requests', 'yaml', 'sqlite3', 'tqdm', 'zoohub.api'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_models_can_be_listed_searched_and_described() -> None:
    assert "lenet5" in zoohub.list_models("lenet*", task="image-classification", runnable=True)
    assert "lenet5_quant" not in zoohub.list_models("lenet*", runnable=True)
    assert "yolov5s" in [entry.model for entry in zoohub.search("yolov5")]
    assert zoohub.info("yolov5").model == "yolov5s"


def test_published_weights_carry_their_preprocessing() -> None:
    weights = zoohub.get_weights("resnet50")
    assert weights.declared == "prefix"
    assert weights.sha256 is None
    assert weights.format == "ckpt"
    assert len(weights.classes or ()) == 1000
    picture = np.zeros((300, 400, 3), np.uint8)
    assert weights.transforms()(picture).shape == (3, 224, 224)
    assert zoohub.transforms("lenet5@digits")(picture).shape == (1, 32, 32)
    with pytest.raises(UsageError, match="textcnn@languages reads text"):
        zoohub.transforms("textcnn@languages")


def test_weights_are_read_without_the_network() -> None:
    weights = zoohub.load_weights("lenet5@digits")
    assert weights["conv1.weight"].shape == (6, 1, 5, 5)
