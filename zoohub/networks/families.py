"""The families of networks zoohub has, found by folder: readable without MindSpore."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub import networks
from zoohub.errors import NetworkNotAvailable

if TYPE_CHECKING:  # a list asks only which there are, and making dataclasses takes as long
    from zoohub.manifest.entry import NetworkSpec
    from zoohub.networks.family import Family


_LONGEST = 60  # letters of a family's name: the system refuses to look for what is far longer

# What is the heads' own in the text encoders that have several (`Family.heads`).
ENCODER_HEADS = (
    "cls1 cls2 dense1 dense_1 dense_0 lstm transitions linear_start linear_end pred_layer"
)


def family_names() -> tuple[str, ...]:
    """The names of all families, sorted; none is imported."""
    found = (path for home in networks.__path__ for path in Path(home).glob("*/family.py"))
    return tuple(sorted({path.parent.name for path in found}))


def has_family(name: str) -> bool:
    """Whether there is a family of that name; it is not imported."""
    homes = networks.__path__
    if not name.isidentifier() or len(name) > _LONGEST:
        return False
    return any(Path(home, name, "family.py").is_file() for home in homes)


@cache
def find_family(name: str) -> Family:
    """The family called `name`.

    Raises:
        NetworkNotAvailable: zoohub has no such network definition.
    """
    if not has_family(name):
        raise NetworkNotAvailable(
            f"zoohub has no network definition {name!r}; it has {', '.join(family_names())}"
        )
    family: Family = importlib.import_module(f"zoohub.networks.{name}.family").FAMILY
    return family


def head_of(spec: NetworkSpec) -> tuple[str, ...]:
    """The prefixes of the head's parameters: the specification's own, else the family's."""
    if spec.head is not None:
        return tuple(spec.head.split())
    return find_family(spec.builder).head_of(spec.arguments)


def stem_of(spec: NetworkSpec) -> tuple[str, ...]:
    """The prefixes of the first convolution's parameters, as for `head_of`."""
    if spec.stem is not None:
        return tuple(spec.stem.split())
    return find_family(spec.builder).stem_of(spec.arguments)


def outputs_for(spec: NetworkSpec, classes: int) -> int:
    """What the argument that counts a head's classes must be for so many: a conditional random
    field has a text's start and end besides."""
    head = spec.arguments.get("head")
    chained = isinstance(head, str) and head.endswith("chain-tagging")
    chained = chained or find_family(spec.builder).raw == ("tags", "after")
    return classes + 2 if chained else classes


def exchanged_heads(spec: NetworkSpec, arguments: Mapping[str, object]) -> tuple[str, ...]:
    """The prefixes of all heads' parameters where `arguments` put another head on an encoder than
    the specification has; none where they do not."""
    heads = find_family(spec.builder).heads
    if not heads or "head" not in arguments:
        return ()
    own = spec.arguments.get("head", heads[0])
    return () if arguments["head"] == own else tuple(ENCODER_HEADS.split())
