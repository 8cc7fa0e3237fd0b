"""Compare zoohub's class names with two published packages each. Run by hand; no test.

    python -m venv /tmp/labels
    /tmp/labels/bin/pip install --no-deps torchvision==0.29.1 timm==1.0.31 mmdet==3.3.0
    PYTHONPATH=. /tmp/labels/bin/python tests/models/check_class_names.py

Only their data is read, none of them imported. What was found with these versions:

- ImageNet: torchvision's short names are taken. Each is one of the synset's lemmas in timm (which
  carries WordNet's ids in the networks' output order), but for two that torchvision tells from
  another class of the same lemma: 134 `crane bird` (517 is the machine) and 639 `maillot tank
  suit` (638 is the other maillot). They are kept, so that 1000 classes have 1000 names.
- COCO: torchvision's 80 names and mmdet's are equal, in order and in wording.
"""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from pathlib import Path

from zoohub.models.class_names import class_names, coco_category_ids

KNOWN_DIFFERENCES = {134: "crane bird", 639: "maillot tank suit"}


def package_file(package: str, path: str) -> Path:
    """A file of an installed package, without importing it."""
    distribution = importlib.metadata.distribution(package)
    print(f"{package} {distribution.version}: {path}")
    return Path(str(distribution.locate_file(path)))


def literal(file: Path, name: str) -> list[str]:
    """The list or tuple of strings assigned to `name`, or the value of a dict's key `name`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name:
            return list(ast.literal_eval(node.value))
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if getattr(key, "value", None) == name:
                    return list(ast.literal_eval(value))
    raise LookupError(f"no {name} in {file}")


def main() -> int:
    problems: list[str] = []
    meta = package_file("torchvision", "torchvision/models/_meta.py")
    imagenet = class_names("imagenet-1k")
    if list(imagenet) != literal(meta, "_IMAGENET_CATEGORIES"):
        problems.append("imagenet-1k differs from torchvision's")
    info = package_file("timm", "timm/data/_info/imagenet_synsets.txt")
    synsets = info.read_text(encoding="utf-8").split()
    lines = info.with_name("imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(line.split("\t") for line in lines)
    differences = {
        index: name
        for index, (name, synset) in enumerate(zip(imagenet, synsets, strict=True))
        if name not in lemmas[synset].split(", ")
    }
    if differences != KNOWN_DIFFERENCES:
        problems.append(f"imagenet-1k differs from timm's lemmas at {differences}")

    coco = list(class_names("coco-2017"))
    numbered = literal(meta, "_COCO_CATEGORIES")
    if coco != [numbered[number] for number in coco_category_ids()]:
        problems.append("coco-2017 or its numbers differ from torchvision's")
    if coco != literal(package_file("mmdet", "mmdet/datasets/coco.py"), "classes"):
        problems.append("coco-2017 differs from mmdet's")
    print("\n".join(problems) or "all names agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
