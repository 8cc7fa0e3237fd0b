"""Every time limit of the store and the transfer; the defaults are the protocol's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    """Times are in seconds, sizes in bytes.

    `stale_after`: an owner whose file has not moved for so long may be overtaken by a copy;
    `wait_limit`: how long others wait for a live owner before they start their own from zero;
    `notice_every`: how often they say that they wait; `poll`: how often they look;
    `sync_every`: how much is written between two fsyncs of an unfinished file;
    `note_every`: how much is written between two notes of how far it has come, `note_pause` how
    long one waits for the next at least;
    `tries` in a row without a byte, `unreachable_tries` where not even a connection was made;
    `backoff` to `backoff_limit` between tries, `retry_after_limit` at the server's wish;
    `connect_timeout` for a connection; `stall` without a byte (None: the setting
    `ZOOHUB_TIMEOUT`); fewer than `slow_rate` bytes a second over `slow_window` is a stall too;
    `hops` redirects at most. Connections are added, up to `ZOOHUB_CONNECTIONS`, until `target_rate`
    bytes a second come; `probe` is the size of the first request, from whose answer the size of the
    file and whether ranges work are learnt; `unit_min` to `unit_max` that of later ones;
    `settle`: how long a rate is measured.
    """

    stale_after: float = 60.0
    wait_limit: float = 1800.0
    notice_every: float = 10.0
    poll: float = 0.1
    sync_every: int = 64 << 20
    note_every: int = 2 << 20
    note_pause: float = 0.05
    tries: int = 5
    unreachable_tries: int = 2
    backoff: float = 1.0
    backoff_limit: float = 8.0
    retry_after_limit: float = 60.0
    connect_timeout: float = 10.0
    stall: float | None = None
    slow_rate: float = 512.0
    slow_window: float = 60.0
    hops: int = 10
    target_rate: float = 250e6
    probe: int = 8 << 20
    unit_min: int = 1 << 20
    unit_max: int = 64 << 20
    settle: float = 0.1
