"""`zoohub doctor`: the checks, and the settings with where they come from."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.program import zoohub
from zoohub.cli.main import main
from zoohub.doctor import Finding, examine_network, list_settings
from zoohub.settings import examine_settings, load_settings, variables


def test_every_setting_is_told_with_where_it_comes_from_and_no_secret() -> None:
    told = list_settings(load_settings({"ZOOHUB_DEVICE": "cpu", "ZOOHUB_TOKEN_HOST": "s3cret"}))
    lines = {finding.check: finding.detail for finding in told}
    assert {*lines} == {*variables(), "ZOOHUB_TOKEN_HOST"}
    assert lines["ZOOHUB_DEVICE"] == "cpu  (environment)"
    assert lines["ZOOHUB_LOCK"] == "not set  (default)"
    assert "s3cret" not in str(lines)


def test_what_is_wrong_with_settings_is_told_beside_all_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("zoohub.doctor.check_convolution", lambda: Finding("x", "ok", ""))
    monkeypatch.setattr("zoohub.doctor.check_framework", lambda: Finding("MindSpore", "ok", ""))
    monkeypatch.setenv("ZOOHUB_MIRROR", "ftp://x")
    monkeypatch.setenv("ZOOHUB_TRUSTED_KEYS", "zzz")
    monkeypatch.setenv("ZOOHUB_TIMEOUT", "-3")
    monkeypatch.setenv("ZOOHUB_MIROR", "https://a.example")
    assert main(["doctor", "--json"]) == 1
    rows = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() >= {"Python", "index", "store", *variables()}
    wrong = {name: row["detail"] for name, row in rows.items() if row["status"] == "failure"}
    assert "ftp://x is no http:, https: or file: URL, nor a folder" in wrong["ZOOHUB_MIRROR"]
    assert "'zzz' is no public key" in wrong["ZOOHUB_TRUSTED_KEYS"]
    assert "write a positive number of seconds" in wrong["ZOOHUB_TIMEOUT"]
    assert len(wrong) == 3
    assert rows["ZOOHUB_MIROR"]["status"] == "warning"
    found = list(examine_network(*examine_settings()))
    assert [finding.detail for finding in found] == ["not looked at, as the settings are wrong"]
    assert "did you mean ZOOHUB_MIRROR?" in rows["ZOOHUB_MIROR"]["advice"]


def test_no_password_of_a_mirror_is_shown() -> None:
    mirrors = "HTTPS://me:s3cret@a.example/zoo ftp://me:s3cret@b.example /srv/me:dir"
    told = [str(problem) for problem in examine_settings({"ZOOHUB_MIRROR": mirrors})[1].values()]
    settings, _ = examine_settings({"ZOOHUB_MIRROR": mirrors.replace("ftp", "file")})
    told += [finding.detail for finding in list_settings(settings)]
    assert settings.mirrors[0] == "https://me:s3cret@a.example/zoo"
    assert any("ftp://b.example is no http:" in line for line in told)
    assert any("https://a.example/zoo file://b.example /srv/me:dir" in line for line in told)
    assert "s3cret" not in str(told)


@pytest.mark.slow
def test_a_machine_that_is_well_is_told_so() -> None:
    done = zoohub("doctor")
    assert done.returncode == 0, done.stdout
    checks = ("Python", "MindSpore", "numpy", "oneDNN", "convolution", "store", "index")
    for check in checks:
        assert re.search(rf"^✓ {check} ", done.stdout, re.MULTILINE), check
    rows = json.loads(zoohub("doctor", "--json").stdout)
    assert {row["check"] for row in rows} >= {*checks, *variables()}
