"""What a file with PyTorch's names asks of a network that computes as another publisher's."""

from __future__ import annotations

import inspect

from zoohub.networks.family import Arguments, Family

# Naming schemes of those who train in PyTorch.
_SCHEMES = ("torchvision", "timm", "microsoft")


def numerics_hint(family: Family, layout: str, arguments: Arguments) -> str | None:
    """The builder's arguments for the results that the file's publisher has; None where a network
    built with `arguments` gives them, or the file's names are of no such publisher.
    """
    wanted = family.pytorch_arguments(arguments) if layout in _SCHEMES else {}
    defaults = inspect.signature(family.load()).parameters if wanted else {}
    other = [
        f"{name}={value!r}"
        for name, value in wanted.items()
        if arguments.get(name, defaults[name].default) != value
    ]
    if not other:
        return None
    return (
        f"it has the names of {layout}, whose {family.name} computes otherwise: for the results of "
        f"weights trained there give {', '.join(other)}"
    )
