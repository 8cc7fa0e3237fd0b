"""The text contract of a network that was asked to differ from its checkpoint's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoohub.manifest.entry import TextContract

# What builders call it -> what the contract does.
_ARGUMENTS = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "max_length",
    "beam_width": "beam_width",
    "max_decode_length": "max_decode_length",
    "length_penalty_weight": "length_penalty",
}


def for_arguments(contract: TextContract, arguments: Mapping[str, object]) -> TextContract:
    """The contract of the network that these arguments of its builder make."""
    asked: dict[str, Any] = {
        field: arguments[name] for name, field in _ARGUMENTS.items() if name in arguments
    }
    return replace(contract, **asked)
