"""MindSpore's operators in step with Python, where its threads would take the time from them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoohub.core.threads import machine_threads

FEW_THREADS = 2  # measured; more were not at hand

# What MindSpore has set is the whole process's: the first block that begins changes it, the last
# that ends puts it back, whichever threads they are of.
_lock = threading.Lock()
_blocks = 0
_before: object = None


@contextmanager
def in_step() -> Iterator[None]:
    """Let Python wait for each operator while the block lasts, on a CPU of few threads.

    In PyNative mode MindSpore hands operators to threads of its own, which spin while they wait. On
    two processors they take the time from the operators: Swin-T needs 1.2 s a picture with them
    and 0.5 s without, a token of GPT-2 0.58 and 0.16 s.
    """
    global _blocks, _before
    import mindspore
    from mindspore import context

    try:
        from mindspore._c_expression import ms_ctx_param

        # By `mindspore.set_context` too, which warns of its age each time; what it names in its
        # place cannot be taken back.
        place, own = ms_ctx_param.pynative_synchronize, context._context()
    except (ImportError, AttributeError):  # a later MindSpore's affair
        yield
        return
    if mindspore.get_context("device_target") != "CPU" or machine_threads() > FEW_THREADS:
        yield
        return
    with _lock:
        if not _blocks:
            _before = own.get_param(place)
            own.set_param(place, True)
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                own.set_param(place, _before)
