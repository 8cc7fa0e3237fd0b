"""What a download is held to, and whether an answer fits it: decisions without input or output."""

from __future__ import annotations

import random
from dataclasses import dataclass

from zoohub.core.counting import counted
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.decide import backoff
from zoohub.transfer.origin import Reply, SourceError

# Errors after which the same source is asked again.
_PASSING = ("transient", "slow", "unreachable")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of the file beforehand, and how it is to be fetched."""

    name: str
    size: int | None
    full_hash: bool
    https_only: bool
    connections: int
    policy: TransferPolicy


def total_of(reply: Reply, terms: Terms, known: int | None, *, partly: bool) -> int | None:
    """The size of the whole file, from the answer or from what is known; None where nobody says.

    `known` is what earlier answers led to, `partly` whether only a part was asked for.

    Raises:
        SourceError: the figures do not fit, or do not suffice to notice a cut file.
    """
    total = reply.total
    if total is None:
        total = terms.size
        if not reply.framed and not terms.full_hash:
            raise SourceError(
                "refused", "the server does not say how long the file is, and there is no hash"
            )
    elif terms.size is not None and total != terms.size:
        raise SourceError(
            "refused", f"its file has {counted(total, 'byte')}, {terms.size} expected"
        )
    if total is None and partly and reply.ranged:
        raise SourceError("transient", "it does not say how large the file is")
    if total is not None and known is not None and known != total:
        raise SourceError("changed", f"its file has {counted(total, 'byte')}, {known} expected")
    return total


class Patience:
    """How often one span is asked for again. The count starts anew whenever bytes arrive."""

    def __init__(self, policy: TransferPolicy, *, lead: bool) -> None:
        self._policy, self._lead = policy, lead
        self._tries = 0

    def wait_after(self, error: SourceError, *, moved: bool, ever: bool) -> float:
        """Seconds to wait before the next try; `moved`: bytes came with this one, `ever`: any came
        from this source.

        Raises:
            SourceError: the error, where another try is not worth it.
        """
        if error.kind not in _PASSING:
            raise error
        policy = self._policy
        self._tries = 1 if moved and error.kind != "slow" else self._tries + 1
        never = error.kind == "unreachable" and not ever
        limit = policy.unreachable_tries if never or not self._lead else policy.tries
        if self._tries >= limit:
            if error.kind == "unreachable" and not never:
                raise SourceError("transient", f"the server went away: {error}")
            raise error
        if error.retry_after is not None:
            return error.retry_after
        return backoff(self._tries, policy, random.random())
