"""Files of torchvision and timm, by the names and shapes that are in them.

The tables were recorded with PyTorch (`compare_pytorch.py --record`), which also compares results.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zoohub.checkpoint import write_pth
from zoohub.checkpoint.opening import open_weights
from zoohub.errors import CheckpointMismatch
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.opening import open_index
from zoohub.models.meaning import network_of
from zoohub.networks.loading import create_network
from zoohub.settings import load_settings

pytestmark = pytest.mark.slow

TABLES = json.loads(
    gzip.decompress((Path(__file__).parent.parent / "data" / "pytorch-tables.json.gz").read_bytes())
)


def spec_of(model: str) -> NetworkSpec:
    """The network of the index; the file's own names decide, as for any file of one's own."""
    return replace(network_of(open_index(load_settings()).resolve(model)), parameters=None)


@pytest.mark.parametrize("model", sorted(TABLES))
def test_a_file_with_pytorchs_names_fills_the_whole_network(model: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    arrays = {name: np.zeros(shape, np.float32) for name, shape in TABLES[model]["table"]}
    write_pth(path, arrays)
    spec = spec_of(model)
    arguments = TABLES[model]["arguments"]
    _, report = create_network(spec, path, **arguments)
    assert report is not None
    assert report.complete
    assert not report.replaced
    counted = {n for n in report.left_out if n.endswith("num_batches_tracked")}
    assert {n for n in report.left_out if n not in counted} == set()
    kept = [name for name in report.kept if not name.endswith((".index", "attn_mask"))]
    assert kept == []


def test_queries_keys_and_values_are_cut_from_their_one_tensor(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    rng = np.random.default_rng(0)
    arrays = {n: rng.standard_normal(s).astype(np.float32) for n, s in TABLES["swin_tiny"]["table"]}
    write_pth(path, arrays)
    spec = spec_of("swin_tiny")
    net, _ = create_network(spec, open_weights(path))
    own = {p.name: p.asnumpy() for p in net.get_parameters()}
    for kind in ("weight", "bias"):
        parts = [own[f"0.blocks.2.blocks.3.attn.{part}.{kind}"] for part in "qkv"]
        whole = arrays[f"layers.2.blocks.3.attn.qkv.{kind}"]
        assert np.array_equal(np.concatenate(parts), whole)


def test_a_file_of_torchvisions_says_how_its_results_are_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "theirs.pth"
    write_pth(path, {n: np.zeros(s, np.float32) for n, s in TABLES["resnet18"]["table"]})
    spec = spec_of("resnet18")
    create_network(spec, path, pool_padding="symmetric")
    assert not caplog.records
    create_network(spec, path)
    assert "pool_padding='symmetric'" in caplog.text
    vgg = tmp_path / "vgg.pth"
    write_pth(vgg, {n: np.zeros(s, np.float32) for n, s in TABLES["vgg11"]["table"]})
    with pytest.raises(CheckpointMismatch, match="conv_bias=True"):
        create_network(spec_of("vgg11"), vgg)
