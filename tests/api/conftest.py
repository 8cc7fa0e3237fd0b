"""A small index of the tests' own, its checkpoint files served over real HTTP."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from zoohub.checkpoint import write_ckpt
from zoohub.checkpoint.cell import table_of
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.loading import build

SPECS = {
    "tinynet": NetworkSpec("lenet", {}, "models", "fc3", "conv1"),
    "tinyres": NetworkSpec(
        "resnet", {"depth": 18, "num_classes": 1001}, "mindcv", "classifier", "conv1"
    ),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `index.yaml` and the files it names, which a server on loopback gives out."""
    folder = tmp_path_factory.mktemp("zoo")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    rng = np.random.default_rng(0)
    blocks = []
    for name, spec in SPECS.items():
        table = table_of(build(spec))
        arrays = {n: rng.uniform(0.1, 0.5, t.shape).astype(t.dtype) for n, t in table.items()}
        path = folder / f"{name}.ckpt"
        write_ckpt(path, arrays)
        blocks.append(_model(name, spec, base, path))
    (folder / "index.yaml").write_text(
        "family: tiny\ntask: image-classification\ndefault: tinynet\nmodels:\n" + "".join(blocks)
    )
    yield folder
    server.shutdown()


def _model(name: str, spec: NetworkSpec, base: str, path: Path) -> str:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"""  {name}:
    default: own
    checkpoints:
      own:
        publisher: tests
        format: ckpt
        sha256: {sha256}
        size: {path.stat().st_size}
        sources: ['{base}/{path.name}']
    network:
      builder: {spec.builder}
      arguments: {dict(spec.arguments)!r}
      parameters: {spec.parameters}
      head: {spec.head}
      stem: {spec.stem}
"""


@pytest.fixture
def with_zoo(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tests' index is in force."""
    monkeypatch.setenv("ZOOHUB_INDEX", str(zoo / "index.yaml"))
    return zoo
