"""Sizes that only a file knows are read off its table."""

from __future__ import annotations

from pathlib import Path

import mindspore
import pytest
from mindspore import Tensor, nn

from zoohub.errors import CheckpointMismatch
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import find_family
from zoohub.networks.loading import create_network
from zoohub.networks.options import NetworkOptions


def saved(path: Path, prefix: str = "") -> Path:
    net = find_family("textcnn").load()(vocab_size=30, channels=4, num_classes=3)
    optimizer = nn.Adam(net.trainable_params())
    rows = [*net.get_parameters(), *optimizer.moment1]
    named = [{"name": f"{prefix}{p.name}", "data": Tensor(p.asnumpy())} for p in rows]
    mindspore.save_checkpoint(named, str(path))
    return path


@pytest.mark.parametrize("prefix", ["", "network."])
def test_a_vocabulary_and_classes_of_any_number_are_read_off_the_file(
    tmp_path: Path, prefix: str
) -> None:
    spec = NetworkSpec("textcnn", {"channels": 4})
    net, report = create_network(spec, saved(tmp_path / "words.ckpt", prefix))
    assert net.embedding.embedding_table.shape == (30, 40)
    assert net.fc.weight.shape == (3, 12)
    assert report is not None
    assert report.complete


def test_a_size_that_the_index_says_is_not_read_off_the_file(tmp_path: Path) -> None:
    spec = NetworkSpec("textcnn", {"channels": 4, "vocab_size": 31})
    with pytest.raises(CheckpointMismatch, match=r"embedding_table"):
        create_network(spec, saved(tmp_path / "words.ckpt"))


def test_classes_that_the_caller_asks_for_are_not_read_off_the_file(tmp_path: Path) -> None:
    spec, options = NetworkSpec("textcnn", {"channels": 4}), NetworkOptions(num_classes=5)
    net, report = create_network(spec, saved(tmp_path / "words.ckpt"), options)
    assert net.fc.weight.shape == (5, 12)
    assert report is not None
    assert set(report.replaced) == {"fc.weight", "fc.bias"}


def test_how_many_blocks_there_are_is_counted_in_the_file(tmp_path: Path) -> None:
    small = {"vocab_size": 30, "embed_dim": 8, "num_heads": 2}
    net = find_family("llama").load()(**small, depth=3, ffn_dim=12)
    path = tmp_path / "llama.ckpt"
    mindspore.save_checkpoint(net, str(path))
    own = {key: value for key, value in small.items() if key != "vocab_size"}
    loaded, report = create_network(NetworkSpec("llama", own), path)
    assert len(loaded.model.layers) == 3
    assert report is not None
    assert len(report.loaded) == 30
