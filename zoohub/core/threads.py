"""How many threads the machine has for us: not more than it lets this process use."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

# A share of processor time as (quota, period), in the two versions of Linux's control groups.
_V2 = "cpu.max"
_V1 = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


def machine_threads(
    environ: Mapping[str, str] | None = None, groups: Path = Path("/sys/fs/cgroup")
) -> int:
    """As many threads as `OMP_NUM_THREADS` says; else one a processor that this process may run on,
    and not more than its control group (a container's limit) gives time for."""
    environ = os.environ if environ is None else environ
    asked = environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    quota = _quota(groups)
    return max(1, processors if quota is None else min(processors, math.ceil(quota)))


def _quota(groups: Path) -> float | None:
    """The processors that the control group has time for; None where it sets no limit."""
    try:
        quota, period = (groups / _V2).read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota, period = ((groups / name).read_text().strip() for name in _V1)
        except OSError:
            return None
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": none
        return None
    return limit if limit > 0 else None
