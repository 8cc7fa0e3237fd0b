"""Which parameters learn, and how fast: freezing and layer-wise learning rates, by name."""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.errors import RecipeError


def belongs(name: str, prefix: str) -> bool:
    """Whether parameter `name` lies under the dotted `prefix`."""
    return name == prefix or name.startswith(prefix + ".")


def frozen_names(names: Sequence[str], prefixes: Sequence[str]) -> set[str]:
    """The parameters under any of `prefixes`.

    Raises:
        RecipeError: a prefix fits nothing, or nothing would be left to train.
    """
    for prefix in prefixes:
        if not any(belongs(name, prefix) for name in names):
            parts = dict.fromkeys(block_of(name) for name in names)
            raise RecipeError(
                f"frozen: {prefix!r} is no part of the network; its parts are {', '.join(parts)}"
            )
    frozen = {name for name in names if any(belongs(name, prefix) for prefix in prefixes)}
    if len(frozen) == len(names):
        raise RecipeError("frozen: nothing is left to train")
    return frozen


def block_of(name: str) -> str:
    """The block a parameter belongs to: its name up to the first number, or the first part.

    `layer1.0.conv1.weight` -> `layer1.0`, `conv1.weight` -> `conv1`.
    """
    parts = name.split(".")[:-1] or [name]
    for i, part in enumerate(parts):
        if part.isdigit():
            return ".".join(parts[: i + 1])
    return parts[0]


def layer_scales(
    names: Sequence[str], decay: float | None, head: Sequence[str] = ()
) -> list[float]:
    """The factor on each parameter's learning rate: 1 for the head (or else the last block), and
    `decay` times less with each block before it, blocks in the order of the names."""
    if decay is None or decay == 1:
        return [1.0] * len(names)
    in_head = [any(belongs(name, prefix) for prefix in head) for name in names]
    body = dict.fromkeys(
        block_of(name) for name, is_head in zip(names, in_head, strict=True) if not is_head
    )
    distance = {block: len(body) - i for i, block in enumerate(body)}
    offset = 0 if any(in_head) else 1
    return [
        1.0 if is_head else decay ** (distance[block_of(name)] - offset)
        for name, is_head in zip(names, in_head, strict=True)
    ]
