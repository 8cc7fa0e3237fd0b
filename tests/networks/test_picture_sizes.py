"""Networks made for pictures of one size, with weights of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.errors import CheckpointMismatch, UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import family_names, find_family
from zoohub.networks.loading import build, create_network

# By family: small arguments, the size of the file's pictures, and that of the network's.
SMALL: dict[str, tuple[dict[str, Any], int, int]] = {
    "vit": ({"patch_size": 16, "embed_dim": 24, "depth": 1, "num_heads": 2}, 64, 96),
    "swin_transformer": (
        {"embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2], "window_size": 8},
        32,
        64,
    ),
    "cmt": ({"depths": [1, 1, 1, 1], "relative_positions": True}, 64, 96),
    "swin_transformer_v2": (
        {"embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2], "window_size": 8},
        32,
        64,
    ),
    "cait": ({"embed_dim": 24, "depth": 1, "num_heads": 2}, 64, 96),
    "pvt": ({"depths": [1, 1, 1, 1]}, 64, 96),
    "vit_split": ({"depth": 1, "embed_dim": 24, "num_heads": 2}, 64, 96),
    "mae": ({"depth": 1, "embed_dim": 24, "num_heads": 2}, 64, 96),
    "augvit": ({"depth": 1, "embed_dim": 24, "num_heads": 2}, 64, 96),
    "tnt": ({"depth": 1}, 64, 96),
}


def sized() -> list[str]:
    """The families whose networks have tables that follow the picture's size."""
    known = ((name, find_family(name)) for name in family_names())
    return [n for n, f in known if f.position_tables and "image_size" in f.arguments]


@pytest.mark.slow
@pytest.mark.parametrize("name", sized())
def test_weights_for_another_size_are_interpolated(name: str, tmp_path: Path) -> None:
    family = find_family(name)
    arguments, old, new = SMALL.get(name, ({}, 64, 96))
    spec = NetworkSpec(name, {**arguments, "image_size": old})
    path = tmp_path / "old.ckpt"
    mindspore.save_checkpoint(build(spec), str(path))
    net, report = create_network(spec, path, image_size=new)
    assert report is not None
    assert report.complete
    assert not report.replaced
    tables = [t for t in family.position_tables if t.form != "computed"]
    assert bool(report.resized) == bool(tables), report
    out = net(Tensor(np.zeros((1, 3, new, new), np.float32)))
    logits = out[0] if isinstance(out, tuple) else out
    assert np.isfinite(logits.asnumpy()).all()


def test_a_window_that_does_not_divide_the_grid_is_said_with_one_that_does() -> None:
    spec = NetworkSpec("swin_transformer", {"image_size": 384})
    with pytest.raises(UsageError, match=r"grid of 96.*windows of 7.*window_size=6"):
        build(spec)


def test_another_size_is_not_taken_for_granted(tmp_path: Path) -> None:
    arguments, old, new = SMALL["vit"]
    path = tmp_path / "old.ckpt"
    mindspore.save_checkpoint(
        build(NetworkSpec("vit", {**arguments, "image_size": old})), str(path)
    )
    with pytest.raises(CheckpointMismatch, match="pos_embed"):
        create_network(NetworkSpec("vit", {**arguments, "image_size": new}), path)


@pytest.mark.parametrize("name", ["cmt", "tnt"])
def test_a_picture_whose_patches_would_make_a_larger_batch_is_refused(name: str) -> None:
    arguments, side, _ = SMALL[name]
    net = build(NetworkSpec(name, {**arguments, "image_size": side})).set_train(False)
    assert net(Tensor(np.zeros((2, 3, side, side), np.float32))).shape[0] == 2
    with pytest.raises(ValueError, match=f"^{name} takes pictures of 64x64 pixels, not 128x128"):
        net(Tensor(np.zeros((2, 3, 2 * side, 2 * side), np.float32)))
    family = find_family(name)
    assert family.size_problem({"image_size": 96}, (96, 96)) is None
    assert family.size_problem({}, (96, 96)) is not None
