"""`zoohub doctor`: the checks, and the settings with where they come from."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.program import zoohub
from zoohub.doctor import list_settings
from zoohub.settings import load_settings, variables


def test_every_setting_is_told_with_where_it_comes_from_and_no_secret() -> None:
    told = list_settings(load_settings({"ZOOHUB_DEVICE": "cpu", "ZOOHUB_TOKEN_HOST": "s3cret"}))
    lines = {finding.check: finding.detail for finding in told}
    assert {*lines} == {*variables(), "ZOOHUB_TOKEN_HOST"}
    assert lines["ZOOHUB_DEVICE"] == "cpu  (environment)"
    assert lines["ZOOHUB_LOCK"] == "not set  (default)"
    assert "s3cret" not in str(lines)


@pytest.mark.slow
def test_a_machine_that_is_well_is_told_so() -> None:
    done = zoohub("doctor")
    assert done.returncode == 0, done.stdout
    checks = ("Python", "MindSpore", "numpy", "oneDNN", "convolution", "store", "index")
    for check in checks:
        assert re.search(rf"^✓ {check} ", done.stdout, re.MULTILINE), check
    rows = json.loads(zoohub("doctor", "--json").stdout)
    assert {row["check"] for row in rows} >= {*checks, *variables()}
