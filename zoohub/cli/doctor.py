"""`zoohub doctor`: check this machine and its settings."""

from __future__ import annotations

import argparse

from zoohub.cli.output import Output
from zoohub.doctor import Finding, examine, examine_network
from zoohub.settings import examine_settings

EXAMPLES = ("zoohub doctor", "zoohub doctor --network", "zoohub doctor --json")
_MARKS = {"ok": "✓", "warning": "!", "failure": "✗", "setting": "·"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub doctor`."""
    parser.add_argument(
        "--network", action="store_true", help="also ask each mirror and index whether it answers"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Print every finding; exit code 1 where something is broken."""
    settings, problems = examine_settings()
    findings: list[Finding] = []
    for finding in examine(settings, problems):
        findings.append(finding)
        _show(finding, output)
    if options.network:
        for finding in examine_network(settings, problems):
            findings.append(finding)
            _show(finding, output)
    if output.as_json:
        output.json(
            {"check": f.check, "status": f.status, "detail": f.detail, "advice": f.advice}
            for f in findings
        )
    broken = sum(finding.status == "failure" for finding in findings)
    if broken:
        output.talk(f"{broken} of {len(findings)} checks failed")
    return 1 if broken else 0


def _show(finding: Finding, output: Output) -> None:
    if output.as_json:
        return
    output.data(f"{_MARKS[finding.status]} {finding.check:22} {finding.detail}")
    if finding.advice:
        output.data(f"  {'':22} → {finding.advice}")
