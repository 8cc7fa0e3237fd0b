"""Fixtures that every package's tests share."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# Set before MindSpore's first operator, as zoohub does, also for tests that import parts of it.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skipped test fails (used by .ci/run)"
    )


def pytest_configure() -> None:
    # What a shell starts in the background ignores Ctrl-C, and so would every process of a test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    keep_to_one_core()


def keep_to_one_core() -> None:
    """Where there is a worker for each core, no worker takes the others'.

    MindSpore's threads spin while they wait, at the cost of whoever computes.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not worker or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(cores):
        os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The facts and oracle data that lie beside a checkout; skips where there are none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside this checkout")
    return folder


@pytest.fixture(scope="session")
def compiled_index(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """In a checkout, the built-in index compiled once; a wheel brings its own."""
    from zoohub.manifest.opening import open_index
    from zoohub.manifest.places import checkout_index
    from zoohub.settings import Settings

    if checkout_index() is None:
        return []
    home = tmp_path_factory.mktemp("compiled")
    open_index(Settings(home=home))
    return list((home / "index").glob("*.sqlite"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled_index: list[Path]) -> None:
    """No test reads or writes the user's own cache, settings or tokens."""
    for name in [key for key in os.environ if key.startswith("ZOOHUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    home = tmp_path / "home"
    monkeypatch.setenv("ZOOHUB_HOME", str(home))
    for file in compiled_index:
        (home / "index").mkdir(parents=True, exist_ok=True)
        os.link(file, home / "index" / file.name)


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder outside pytest's own that a process without privileges reaches and owns."""
    folder = Path(tempfile.mkdtemp(prefix="zoohub-nobody-"))
    if os.getuid() == 0:
        os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium, 1280 pixels wide."""
    selenium = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver (apt-get install chromium chromium-driver)")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield session
    session.quit()
