"""The data's classes beside a network's: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.tasks.imagenet import CLASSES, is_synset, synset_places


def match_classes(
    found: Sequence[str],
    known: Sequence[str] | None,
    outputs: int,
    network: str = "the network",
) -> NDArray[np.int64]:
    """The network's class index of each class of the data: by name, else (for as many) by order.

    The network's very name comes first; else case, `_` and `-` do not matter, but where two of
    the network's names differ only in those. ImageNet's folders (`n01440764`) are the classes of
    those numbers for a network of a thousand classes that does not know them by name, also where
    not all are there.
    `network` is what errors call it.

    Raises:
        DataError: some class of the data is none of the network's.
    """
    synsets = all(map(is_synset, found))
    if synsets and outputs == CLASSES and not (known and set(found) & set(known)):
        imagenet = synset_places(found)
        if imagenet is not None:
            return np.array(imagenet, np.int64)
    if known is not None:
        exact = {name: i for i, name in enumerate(known)}
        alike = Counter(map(_plain, exact))
        plain = {_plain(name): i for name, i in exact.items() if alike[_plain(name)] == 1}
        places = [exact.get(name, plain.get(_plain(name), -1)) for name in found]
        missing = [name for name, place in zip(found, places, strict=True) if place < 0]
        if not missing:
            return np.array(places, np.int64)
        if not (synsets and len(found) == len(known)):
            raise DataError(
                f"classes of the data that {network} does not know: {', '.join(missing[:10])}"
                f"{' …' if len(missing) > 10 else ''}; it knows {', '.join(known[:10])}"
                f"{' …' if len(known) > 10 else ''}"
            )
    elif len(found) != outputs:
        raise DataError(
            f"the data has {counted(len(found), 'class', 'classes')}, {network} "
            f"{counted(outputs, 'output')} without names"
        )
    return np.arange(len(found), dtype=np.int64)


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ")


def same_classes(found: Sequence[str], known: Sequence[str] | None) -> bool:
    """Whether a network's outputs are the data's classes, in their order; unknown ones are not."""
    if known is None or len(found) != len(known):
        return False
    try:
        return match_classes(found, known, len(known)).tolist() == list(range(len(known)))
    except DataError:
        return False
