"""What the index and `family.py` say of a family between them, held to its networks: the cases of
a family of which no parameter table is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from mindspore.nn.utils import no_init_parameters

from zoohub.checkpoint.layout import has_prefix
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.index import Index
from zoohub.models.describing import misfit
from zoohub.networks.families import head_of, stem_of
from zoohub.networks.loading import build


def specs_of(index: Index, family: str) -> dict[str, NetworkSpec]:
    """The networks of that family that the index asks for, by reference; equal ones once."""
    found: dict[str, NetworkSpec] = {}
    for entry in index.list():
        parts = [(entry.model, entry.network)]
        parts += [(checkpoint.reference, checkpoint.network) for checkpoint in entry.checkpoints]
        for reference, spec in parts:
            if spec is not None and spec.builder == family and spec not in found.values():
                found[reference] = spec
    return found


def problems_of(index: Index, family: str) -> Iterator[str]:
    """What does not fit: no model names the family, or one gives it arguments that it does not
    take, or its head or stem are no parameters of the network."""
    specs = specs_of(index, family)
    if not specs:
        yield f"no model of the index has the builder {family!r}"
    for reference, spec in specs.items():
        problem = misfit(spec)
        if problem:
            yield f"{reference}: {problem}"
            continue
        with no_init_parameters():
            names = [parameter.name for parameter in build(spec).get_parameters()]
        for part, prefixes in (("head", head_of(spec)), ("stem", stem_of(spec))):
            for prefix in prefixes:
                if not any(has_prefix(name, [prefix]) for name in names):
                    yield f"{reference}: its {part} {prefix!r} is no parameter of the network"
