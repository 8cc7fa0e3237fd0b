"""The decisions of a transfer, as functions of what is known: no input or output here."""

from __future__ import annotations

import math

from zoohub.core.counting import counted, plural
from zoohub.errors import NoSpaceError
from zoohub.store.layout import url_key
from zoohub.store.partial import Provenance
from zoohub.store.policy import TransferPolicy


def plan_resume(here: Provenance, have: int, source: str, *, known: bool, full_hash: bool) -> bool:
    """Whether the bytes that are here are worth something for `source`.

    With a full hash they may come from anywhere: the hash decides at the end. Without one they
    must be of the same source, noted as such, and the source must tell if its file has changed.
    """
    if have == 0:
        return False
    same = known and here.source == url_key(source) and here.validator is not None
    return same or full_hash


def has_changed(before: Provenance, now: Provenance) -> bool:
    """Whether the same source's file is another one than when the bytes here came."""
    if before.source != now.source:
        return False
    validators = before.validator, now.validator
    totals = before.total, now.total
    return (None not in validators and len(set(validators)) > 1) or (
        None not in totals and len(set(totals)) > 1
    )


def backoff(attempt: int, policy: TransferPolicy, jitter: float) -> float:
    """Seconds to wait before try `attempt` (1 is the first repetition); `jitter` is 0 to 1."""
    return min(policy.backoff * 2.0 ** (attempt - 1), policy.backoff_limit) * (0.5 + 0.5 * jitter)


def plan_connections(rate: float, left: int, limit: int, policy: TransferPolicy) -> int:
    """How many connections pay, when each brings `rate` bytes a second and `left` are to come."""
    useful = max(1, left // policy.unit_min)
    needed = limit if rate <= 0 else math.ceil(policy.target_rate / rate)
    return max(1, min(limit, useful, needed))


def unit_size(left: int, workers: int, policy: TransferPolicy) -> int:
    """How much one request asks for: less towards the end, so that all finish together."""
    least = policy.unit_min if workers > 1 else policy.probe
    return min(max(left // (2 * workers), least), policy.unit_max)


def check_space(needed: int, free: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        NoSpaceError: says how much is missing.
    """
    if needed > free:
        raise NoSpaceError(
            f"{counted(needed, 'more byte is', 'more bytes are')} needed, {free} "
            f"{plural(free, 'is', 'are')} free on the store's disk. Free some (`zoohub cache "
            "prune --max-size 20G`), or set ZOOHUB_HOME to one on a larger disk."
        )
