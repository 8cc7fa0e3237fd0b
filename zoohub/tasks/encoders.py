"""What text encoders end in, and how they are put under another head: what the tasks share that
read a text's tokens."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from zoohub.errors import DataError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import ENCODER_HEADS, find_family
from zoohub.tasks.texts import IDS, KINDS, MASK, PLAIN, POSITIONS

# What text can be made into.
TAKEN = frozenset((IDS, KINDS, MASK, POSITIONS))


def head_of(network: NetworkSpec) -> str | None:
    """The head that an encoder is under: its argument, or the family's first. None: the family has
    no such argument."""
    heads = find_family(network.builder).heads
    return str(network.arguments.get("head", heads[0])) if heads else None


def reads_text(network: NetworkSpec) -> bool:
    """Whether it takes nothing but what can be made of a text."""
    return set(find_family(network.builder).inputs) <= TAKEN


def under_head(network: NetworkSpec, head: str, instead_of: Collection[str]) -> NetworkSpec:
    """An encoder under `head`, which is made anew, where it has one of `instead_of` and its family
    knows both; what a file has of the old head is left there. Else as it is."""
    family = find_family(network.builder)
    if head not in family.heads or head_of(network) not in instead_of:
        return network
    return replace(network, arguments={**network.arguments, "head": head}, head=ENCODER_HEADS)


def arrays_of(network: NetworkSpec) -> str:
    """What a network takes, in that order: names, and types and shapes where they are known."""
    family = find_family(network.builder)
    taken = family.taken_by(network.arguments)
    if taken is None:
        return ", ".join(family.inputs)
    return ", ".join(f"{x.name} {x.dtype} ({', '.join(map(str, x.axes))})" for x in taken)


def refuse_head(network: NetworkSpec, does: str, heads: str) -> DataError:
    """What to say of a network that ends in another head: what it does not do, and which heads
    would."""
    family = find_family(network.builder)
    odd = ", ".join(sorted(set(family.inputs) - TAKEN - {PLAIN}))
    if odd:
        said = f"networks of the family {family.name} take {odd}, which no text has"
    elif not family.heads:
        said = f"this network ({family.name}) has no head to be left out or exchanged"
    else:
        said = f"this network ({family.name}) ends in the head {head_of(network)!r}, which {does}"
    return DataError(
        f"{said}; zoohub predicts this with the head {heads}; others can be loaded (zoohub.load) "
        "and called with arrays, and exported"
    )
