"""What went wrong with each source, and the one error that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zoohub.core.urls import origin_of, problem_of
from zoohub.errors import (
    AccessDenied,
    DownloadError,
    IntegrityError,
    NoSpaceError,
    OfflineError,
)
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.transfer.origin import Kind
from zoohub.transfer.plan import FetchPlan, mirror_path


@dataclass(frozen=True, slots=True)
class Failed:
    """One source that did not give the file; `got` is the hash of the wrong bytes it gave."""

    url: str
    kind: Kind | Literal["wrong"]
    reason: str
    got: str | None = None


def expected_text(plan: FetchPlan) -> str:
    """What is expected of the bytes, in a few words."""
    if plan.sha256:
        return plan.sha256
    return f"a SHA-256 that begins with {plan.prefix}" if plan.prefix else "(no hash declared)"


def failure(
    checkpoint: Checkpoint,
    plan: FetchPlan,
    failed: list[Failed],
    settings: Settings,
    hint: str | None,
) -> DownloadError:
    """The error that says why no source gave the file, and what can be done."""
    name = checkpoint.reference
    tried = "\n".join(_tried(failed)) or "  (the index names no source)"
    got = [f.got for f in failed if f.kind == "wrong"]
    if got:
        return IntegrityError(
            f"{name}: the bytes that came are not the ones declared.\n  expected "
            f"{expected_text(plan)}\n  got      {got[0]}\n{tried}\n{_verdict(got)} Nothing "
            f"was published; the bytes are in {settings.home / 'quarantine'}."
        )
    if any(f.kind == "space" for f in failed):
        return NoSpaceError(f"{name}: no source gave it, and the disk is too small.\n{tried}")
    remote = [f for f in failed if not f.url.startswith(("embedded:", "file:"))]
    off = settings.offline and bool(remote)
    if off or (remote and all(f.kind == "unreachable" for f in remote)):
        why = "the network is switched off" if off else "the network is unreachable"
        return OfflineError(
            f"{name} is not in the store ({settings.home}), and {why}.\n{tried}\n"
            f"{_how_to_mirror(checkpoint)}{' ' + hint if hint else ''}"
        )
    if remote and all(f.kind == "denied" for f in remote):
        return AccessDenied(
            f"{name}: the server refuses to give the file.\n{tried}\nSet ZOOHUB_TOKEN_<HOST> (or "
            "an entry in ~/.netrc) to credentials that may read it; they are sent over https only."
        )
    return DownloadError(
        f"{name}: none of its sources gave the file.\n{tried}\nTry again later, or set "
        f"ZOOHUB_MIRROR to a mirror that has it. {hint or ''}".rstrip()
    )


def _tried(failed: list[Failed]) -> list[str]:
    """A line for each source; those of one host that failed in the same way share one."""
    groups: dict[tuple[str, str], list[Failed]] = {}
    for one in failed:
        web = one.url.startswith(("http://", "https://")) and problem_of(one.url) is None
        place = origin_of(one.url)[1] if web else one.url
        groups.setdefault((place, one.reason), []).append(one)
    lines = []
    for (place, reason), (first, *others) in groups.items():
        more = f" and {len(others)} more on {place}" if others else ""
        lines.append(f"  {first.url}{more}: {reason}")
    return lines


def _verdict(got: list[str | None]) -> str:
    """Who is to blame for wrong bytes, as far as their hashes tell."""
    if len(got) > 1 and len(set(got)) == 1:
        return f"{len(got)} sources agree on other bytes: the index looks wrong, report it."
    if len(got) > 1:
        return "The sources differ from each other, so the sources look wrong."
    return "The source looks wrong, or something between it and you: try again later."


def _how_to_mirror(checkpoint: Checkpoint) -> str:
    path = mirror_path(checkpoint.sources[0]) if checkpoint.sources else None
    where = f" as {path} below it" if path else ""
    return (
        "Where there is a network, fetch the file and put it into a folder" + where + "; then set "
        "ZOOHUB_MIRROR to that folder, or to the URL of a mirror you can reach."
    )
