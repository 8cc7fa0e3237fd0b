"""Makes this folder's helpers importable under --import-mode=importlib, and lets its tests have a
family of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zoohub import networks

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def tiny_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family in `stand_in/` among those that zoohub finds."""
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(HERE / "stand_in")])
