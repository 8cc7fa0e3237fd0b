from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import ZoohubError
from zoohub.settings import Settings, examine_settings, load_settings, variables

pytestmark = pytest.mark.smoke


def settings_from(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    file = tmp_path / "zoohub.yaml"
    if text:
        file.write_text(text)
    return load_settings({"HOME": str(tmp_path), **environ}, file=file)


def test_nothing_set_gives_the_defaults_and_says_so(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert settings.home == tmp_path / "cache" / "zoohub"
    assert settings.mirrors == ()
    assert not settings.offline
    assert settings.device is None
    assert settings.origins["mirrors"] == "default"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    text = "ZOOHUB_DEVICE: cpu\nZOOHUB_MIRROR: [https://a.example, https://b.example]\n"
    settings = settings_from(tmp_path, text, ZOOHUB_DEVICE="ascend:1")
    assert settings.device == "ascend:1"
    assert settings.origins["device"] == "environment"
    assert settings.mirrors == ("https://a.example", "https://b.example")
    assert settings.origins["mirrors"] == str(tmp_path / "zoohub.yaml")


def test_the_hubs_offline_switch_is_honoured_and_ours_overrules_it(tmp_path: Path) -> None:
    assert settings_from(tmp_path, HF_HUB_OFFLINE="1").offline
    assert not settings_from(tmp_path, HF_HUB_OFFLINE="1", ZOOHUB_OFFLINE="0").offline


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZOOHUB_CONNECTIONS", "0"),
        ("ZOOHUB_CONNECTIONS", "many"),
        ("ZOOHUB_TIMEOUT", "-3"),
        ("ZOOHUB_TIMEOUT", "inf"),
        ("ZOOHUB_TIMEOUT", "abc"),
        ("ZOOHUB_OFFLINE", "perhaps"),
        ("ZOOHUB_DEVICE", "gpu"),
        ("ZOOHUB_DEVICE", "cpu:1"),
        ("ZOOHUB_MIRROR", "ftp://x"),
        ("ZOOHUB_HOME", "/dev/null"),
    ],
)
def test_an_unusable_value_is_named_with_its_origin(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ZoohubError, match=rf"{name}='{value}' \(environment\)") as raised:
        settings_from(tmp_path, **{name: value})
    settings, problems = examine_settings({"HOME": str(tmp_path), name: value})
    assert {key: str(problem) for key, problem in problems.items()} == {name: str(raised.value)}
    assert settings.origins[variables()[name]] == "default"


def test_an_unknown_key_in_the_file_is_an_error_that_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ZoohubError, match=r"unknown setting 'ZOOHUB_MIROR'.*ZOOHUB_MIRROR"):
        settings_from(tmp_path, "ZOOHUB_MIROR: https://a.example\n")


@pytest.mark.parametrize("text", ["- a list\n", "a: [1\n", "just words\n"])
def test_a_malformed_file_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ZoohubError, match=r"zoohub\.yaml"):
        settings_from(tmp_path, text)


def test_tokens_never_show_in_the_representation(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, ZOOHUB_TOKEN_MIRROR_EXAMPLE="s3cret")
    assert settings.tokens == {"MIRROR_EXAMPLE": "s3cret"}
    assert "s3cret" not in repr(settings)


def test_every_setting_knows_its_variable() -> None:
    assert variables()["ZOOHUB_MIRROR"] == "mirrors"
    assert variables()["ZOOHUB_HOME"] == "home"
