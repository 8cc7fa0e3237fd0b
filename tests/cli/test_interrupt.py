"""Ctrl-C at the moments where Python loses a KeyboardInterrupt: one line and 130 all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")

PRESS = "import os, signal\ndef press(*_): os.kill(os.getpid(), signal.SIGINT)\n"
RUN = "from zoohub.cli.main import entry_point; entry_point()\n"


def run(before: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`zoohub` with these arguments, in a process in which `before` has run first."""
    code = PRESS + textwrap.dedent(before) + RUN
    command = [sys.executable, "-c", code, *arguments]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "before",
    [
        "import atexit; atexit.register(press)\n",
        """
        import sys, zoohub.cli.main as main
        flushed = main._finished
        main._finished = lambda code: (flushed(code), press(), sys.exit(0))[0]
        """,
        """
        import zoohub.cli.list_ as list_
        class Lost:
            __del__ = press
        sized = list_.human_size
        list_.human_size = lambda size: (Lost(), sized(size))[1]
        """,
    ],
    ids=["in the shutdown", "after the command", "in a destructor"],
)
def test_a_lost_interrupt_still_gives_its_status(before: str) -> None:
    done = run(before, "list", "lenet5")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "zoohub: interrupted"


def test_an_interrupt_in_a_callback_of_sqlite_is_no_damaged_index() -> None:
    before = "import zoohub.manifest.database as d; d._Documents.__call__ = press\n"
    done = run(before, "info", "lenet5")
    assert (done.returncode, done.stderr) == (130, "zoohub: interrupted\n")
    assert run("", "info", "lenet5").stderr == ""  # and the cache is there as before


@pytest.mark.parametrize("file", ["mindspore/graph/api.py", "mindspore/common/api.py"])
def test_mindspore_is_not_interrupted_while_it_compiles(file: str) -> None:
    """It would answer KeyboardInterrupt with its own stack: there the process ends at once."""
    compiling = "def compile(_):\n try: press()\n except BaseException: print('answered')\n"
    before = f"""
        import zoohub.cli.list_ as list_
        exec(compile({compiling!r}, "/site-packages/{file}", "exec"))
        list_.human_size = compile
        """
    done = run(before, "list", "lenet5")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "zoohub: interrupted\n")


def test_what_runs_at_exit_runs_and_the_status_stays() -> None:
    done = run("import atexit; atexit.register(print, 'last words')\n", "list", "no-such-model")
    assert (done.returncode, done.stdout) == (0, "last words\n")
