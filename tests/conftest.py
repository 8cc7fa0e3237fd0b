"""Fixtures that every package's tests share."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

# Set before MindSpore's first operator, as zoohub does, also for tests that import parts of it.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skipped test fails (used by .ci/run)"
    )


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
    from zoohub.manifest.opening import checkout_index, open_index
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
