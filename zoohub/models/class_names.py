"""Class names by data set, in the order of the networks' outputs.

The names are in `data/<data set>.txt`, one a line; NOTICE says where they come from, and
`tests/models/check_class_names.py` compares them with two published packages each.
"""

from __future__ import annotations

from importlib import resources

from zoohub.errors import DataError

# Numbers that COCO's 80 detection classes leave out of its 1..90.
_COCO_UNUSED_IDS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))


def class_names(name: str) -> tuple[str, ...]:
    """The class names of a data set, by its name in the index (`imagenet-1k`, `coco-2017`, …).

    Raises:
        DataError: zoohub has no names for it; says for which it has.
    """
    known = known_labels()
    if name not in known:
        raise DataError(f"zoohub has no class names for {name!r}; it has {', '.join(known)}")
    text = (resources.files("zoohub.models") / "data" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def known_labels() -> tuple[str, ...]:
    """The data sets that zoohub has class names for."""
    folder = resources.files("zoohub.models") / "data"
    return tuple(
        sorted(f.name.removesuffix(".txt") for f in folder.iterdir() if f.name.endswith(".txt"))
    )


def coco_category_ids() -> tuple[int, ...]:
    """COCO's own category number for each of the 80 classes of `coco-2017`, in their order."""
    return tuple(number for number in range(1, 91) if number not in _COCO_UNUSED_IDS)
