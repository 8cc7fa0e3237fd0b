"""The text contract of a network that differs from what the index says of its model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zoohub.manifest.entry import NetworkSpec, TextContract
from zoohub.networks.families import find_family

if TYPE_CHECKING:
    from mindspore import nn

# What builders call it -> what the contract does.
_ARGUMENTS = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "max_length",
    "longest": "max_length",
    "beam_width": "beam_width",
    "max_decode_length": "max_decode_length",
    "length_penalty_weight": "length_penalty",
}


def for_arguments(contract: TextContract, arguments: Mapping[str, object]) -> TextContract:
    """The contract of the network that these arguments of its builder make."""
    asked: dict[str, Any] = {
        field: arguments[name] for name, field in _ARGUMENTS.items() if name in arguments
    }
    if "max_position_embeddings" in arguments:
        asked["max_length"] -= contract.first_position
    return replace(contract, **asked)


def sizes_in(net: nn.Cell, spec: NetworkSpec) -> dict[str, int]:
    """The arguments of a network's builder that its parameters' shapes tell."""
    shapes = {parameter.name: parameter.shape for parameter in net.get_parameters()}
    return {
        argument: int(shapes[name][axis])
        for argument, (name, axis) in find_family(spec.builder).sizes.items()
        if name in shapes and axis is not None and len(shapes[name]) > axis
    }
