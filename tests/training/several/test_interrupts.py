"""Ctrl-C, which MindSpore would make the end of the process while a graph runs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from zoohub.core.interrupts import interruptible

pytest.importorskip("sklearn")


@pytest.mark.slow
def test_an_interrupted_command_says_so_and_can_be_resumed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoohub", "finetune", "lenet5@digits", "--data", "digits"]
    command += ["--epochs", "2000", "--output", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    state, deadline = tmp_path / "run" / "state" / "state.npz", time.monotonic() + 120
    while not state.exists() and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith("zoohub: interrupted\n")
    assert "Traceback" not in said
    assert state.exists()


def test_a_termination_is_an_interrupt_where_nobody_else_handles_it() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    heard: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with interruptible():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert heard == [signal.SIGTERM]


def test_other_threads_handle_no_signals() -> None:
    entered: list[bool] = []

    def enter() -> None:
        with interruptible():
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]
