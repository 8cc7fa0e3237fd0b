"""The settings file: every value in it is text, and what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import ZoohubError
from zoohub.settings import load_settings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_it_is_read_however_it_was_saved(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "zoohub.yaml"
    text = "# 设置\r\nZOOHUB_HOME: /数据/模型\r\nZOOHUB_OFFLINE: yes\r\n"
    file.write_bytes(text.encode(encoding))
    settings = load_settings({}, file=file)
    assert settings.home == Path("/数据/模型")
    assert settings.offline


def test_values_are_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "zoohub.yaml"
    file.write_text(
        "ZOOHUB_TOKEN_A: 0123\nZOOHUB_TOKEN_B: 1e5\nZOOHUB_TOKEN_C: 1.10\nZOOHUB_TOKEN_D: no\n"
        "ZOOHUB_LOCK: ~\nZOOHUB_MIRROR: [a, b]\nZOOHUB_OFFLINE: off\nZOOHUB_DEVICE:\n"
    )
    settings = load_settings({}, file=file)
    assert settings.tokens == {"A": "0123", "B": "1e5", "C": "1.10", "D": "no"}
    assert (settings.lock, settings.device, settings.offline) == (None, None, False)
    assert settings.mirrors == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ZOOHUB_CONNECTIONS: " + "9" * 5000, "is not usable: write a whole number"),
        ("ZOOHUB_TIMEOUT: 1e999", "ZOOHUB_TIMEOUT='1e999' .* is not usable"),
        ("ZOOHUB_TIMEOUT: nan", "is not usable"),
        ("ZOOHUB_TIMEOUT: 2024-13-45", "is not usable"),
        ("ZOOHUB_MIRROR: [[a]]", r"zoohub\.yaml:1: ZOOHUB_MIRROR must be one value"),
        ("ZOOHUB_MIRROR: {a: b}", r"zoohub\.yaml:1: ZOOHUB_MIRROR must be one value"),
        ("\n? " + "a" * 5000 + "\n: b", r"zoohub\.yaml:2: unknown setting"),
        ("ZOOHUB_HOME: &a b\nZOOHUB_LOCK: *a", r"zoohub\.yaml:1: anchors"),
        ("ZOOHUB_HOME: !!int x", r"zoohub\.yaml:1: tags"),
        ("ZOOHUB_HOME: " + "[" * 5000, r"zoohub\.yaml:1: "),
        ("ZOOHUB_HOME: a\0b", r"zoohub\.yaml:1: .*NUL"),
        ("ZOOHUB_HOME: a\nZOOHUB_HOME: b", r"zoohub\.yaml:2: the key .* occurs twice"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "zoohub.yaml"
    file.write_text(text)
    with pytest.raises(ZoohubError, match=message) as caught:
        load_settings({}, file=file)
    assert len(str(caught.value)) < 700  # with all known names
