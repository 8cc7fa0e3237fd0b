"""What RobustScanner takes beside a picture."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken

_HEIGHT, _WIDTH, _COLUMN = 48, 160, 4  # pixels
_STEPS = 40


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """Pictures of the publisher's size, which of their columns hold the line, and the places."""
    channels = int(str(arguments.get("in_channels", 3)))
    steps = int(str(arguments.get("steps", _STEPS)))
    return (
        Taken("image", ("batch", channels, _HEIGHT, _WIDTH), "float32"),
        Taken("valid_width_mask", ("batch", 1, _WIDTH // _COLUMN)),
        Taken("word_positions", ("batch", steps)),
    )
