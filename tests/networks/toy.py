"""A family added by CONTRIBUTING.md's text alone: a folder and a file of YAML, nothing else."""

from __future__ import annotations

from pathlib import Path

NETWORK = '''
"""Toy: two convolutions and a classifier."""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.pooling import GlobalAvgPool


class Toy(nn.Cell):
    """(N, in_channels, H, W) to (N, num_classes)."""

    def __init__(self, width: int, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, 2, pad_mode="pad", padding=1, has_bias=True)
        self.body = nn.Conv2d(width, width, 3, pad_mode="pad", padding=1, has_bias=True)
        self.relu = nn.ReLU()
        self.pool = GlobalAvgPool()
        self.classifier = nn.Dense(width, num_classes)

    def construct(self, image: Tensor) -> Tensor:
        x = self.relu(self.stem(image))
        return self.classifier(self.pool(self.relu(self.body(x))))


def toy(width: int = 8, num_classes: int = 10, in_channels: int = 3) -> Toy:
    """A toy of `width` channels."""
    return Toy(width, num_classes, in_channels)
'''

FAMILY = '''
"""Toy: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="toy",
    task="image-classification",
    builder="toy",
    arguments={"width": int, "num_classes": int, "in_channels": int},
    layouts={"own": Layout(), "old": Layout(rules=((r"fc\\.(.+)", r"classifier.\\1"),))},
    head="classifier",
    stem="stem",
)
'''

INDEX = """\
family: toy
task: image-classification
default: toy_small
network: {{builder: toy, parameters: own}}
input: {{size: [16, 16], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5],
         interpolation: bilinear, resize: stretch}}
defaults: {{publisher: toys, format: ckpt, classes: digits}}
models:
  toy_small:
    default: toys
    network: {{arguments: {{width: 8}}}}
    checkpoints:
      toys:
        network: {{parameters: old}}
        sha256: {sha256}
        sources: ['{source}']
  toy_large:
    network: {{arguments: {{width: 16}}}}
"""


def write_family(networks: Path) -> None:
    """Step one: the folder."""
    folder = networks / "toy"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "network.py").write_text(NETWORK.lstrip())
    (folder / "family.py").write_text(FAMILY.lstrip())


def write_index(index: Path, source: str, sha256: str) -> None:
    """Step two: the file of YAML."""
    file = index / "image-classification" / "toy.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(INDEX.format(source=source, sha256=sha256))
