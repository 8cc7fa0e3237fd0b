"""Channel counts of networks that come in several widths."""

from __future__ import annotations


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `channels`, at least `divisor`, and not below 90 %.

    >>> make_divisible(32 * 0.35), make_divisible(24 * 0.75), make_divisible(96 * 1.3)
    (16, 24, 128)
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
