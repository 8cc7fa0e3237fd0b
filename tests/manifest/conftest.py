"""A small index of every kind of entry, and the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zoohub.manifest.index import Index
from zoohub.manifest.opening import open_index
from zoohub.settings import Settings

HASH = {letter: letter * 64 for letter in "abcdef"}

NETS = f"""\
family: net
task: image-classification
default: net50
network: {{builder: net, parameters: lab, head: fc}}
input: {{size: [224, 224], mean: [0.5, 0.5, 0.5], crop: 0.9}}
defaults:
  publisher: lab
  format: ckpt
  licence: Apache-2.0
  dataset: big
publishers:
  zoo: {{repository: example.org/zoo, network: {{parameters: zoo, arguments: {{pad: same}}}}}}
models:
  net50:
    default: lab
    aliases: [Net-Fifty]
    network: {{arguments: {{depth: 50}}}}
    checkpoints:
      lab:
        sha256_prefix: abcdef12
        metrics: {{top1: 75.5}}
        records:
          - {{uid: lab/net50, url: 'https://a.example/lab/net50.ckpt', mindspore: '2.3'}}
      lab-mindir:
        format: mindir
        records:
          - {{uid: lab/net50.mindir, url: 'https://a.example/lab/net50.mindir'}}
      lab-911-mindir:
        format: mindir
        hardware: ascend-911
        records:
          - {{uid: lab/net50@911.mindir, url: 'https://a.example/lab/net50-911.mindir'}}
      r1.10-big:
        aliases: [r1.9-big]
        publisher: zoo
        sha256: {HASH["a"]}
        metrics: {{top1: 76.0}}
        records:
          - uid: hub/1.10/net50_big
            url: https://b.example/r1.10/net50.ckpt
            mindspore: '1.10'
          - uid: hub/1.9/net50_big
            url: https://b.example/r1.9/net50.ckpt
            mindspore: '1.9'
            metrics: {{top1: 75.9}}
      r1.10-small:
        publisher: zoo
        dataset: small
        network: {{arguments: {{classes: 10}}}}
        input: {{crop: null, resize: stretch}}
        sha256: {HASH["b"]}
        records:
          - uid: hub/1.10/net50_small
            url: https://b.example/r1.10/net50-small.ckpt
      r1.8-small:
        publisher: zoo
        dataset: small
        network: null
        doubtful_sha256: {HASH["c"]}
        records:
          - {{uid: hub/1.8/net50_small, url: 'https://b.example/r1.8/net50-small.ckpt'}}
  net18:
    published: {{hub/0.7/net18: r0.7-big}}
    default: r0.7-big
    checkpoints:
      r0.7-big:
        records: [{{uid: hub/0.7/net18, url: 'https://b.example/r0.7/net18.ckpt'}}]
      r0.7-big-bbbbbbbb:
        sha256: {HASH["d"]}
        records: [{{uid: hub/0.7/net18, url: 'https://b.example/r0.7/net18b.ckpt'}}]
  se_net50:
    network: null
    default: lab
    checkpoints:
      lab:
        records: [{{uid: lab/se_net50, url: 'https://a.example/lab/se_net50.ckpt'}}]
  senet50:
    default: lab
    checkpoints:
      lab:
        records: [{{uid: lab/senet50, url: 'https://a.example/lab/senet50.ckpt'}}]
  net101: {{description: Announced and never published.}}
"""

FACES = """\
family: faces
task: face-detection
description: Finds faces in pictures.
models:
  facer:
    checkpoints:
      one:
        publisher: one
        format: ckpt
        records: [{uid: one/facer, url: 'https://a.example/one/facer.ckpt'}]
      two:
        publisher: two
        format: ckpt
        records: [{uid: two/facer, url: 'https://a.example/two/facer.ckpt'}]
  face_small:
    default: one
    aliases: [shared-name]
    checkpoints:
      one: {format: ckpt, sources: ['https://a.example/one/small.ckpt']}
  face_big:
    default: one
    aliases: [shared-name]
    checkpoints:
      one: {format: ckpt, sources: ['https://a.example/one/big.ckpt']}
"""

Writer = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index folder of two families."""
    root = tmp_path / "small"
    for task, family, text in (
        ("image-classification", "net", NETS),
        ("face-detection", "faces", FACES),
    ):
        (root / task).mkdir(parents=True)
        (root / task / f"{family}.yaml").write_text(text)
    return root


@pytest.fixture
def index(folder: Path, settings: Settings) -> Index:
    """The small index alone, without the built-in one behind it."""
    from zoohub.manifest.index import Layer
    from zoohub.manifest.opening import open_folder

    return Index((Layer("small", open_folder(folder, settings)),))


@pytest.fixture
def real(tmp_path: Path) -> Index:
    """The built-in index, from the cache that all tests share."""
    return open_index(Settings(home=tmp_path / "home"))
