"""Which places are asked for a checkpoint, in which order, and why others are not: no input or
output here.

With a full hash any source may serve the bytes. Without one the way they come must be trusted:
https, the user's own files, loopback.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from zoohub.core.urls import is_this_machine, origin_of, problem_of
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store.layout import file_key, full_sha256

LOCAL = ("embedded", "file")
UNSIGNED = "without a full hash a mirror is asked only if a key you trust has signed for the file"
Role = Literal["local", "mirror", "source"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One URL to try; `role` says whether the user configured it as a mirror."""

    url: str
    role: Role


@dataclass(frozen=True, slots=True)
class Refusal:
    """A URL that is not tried, and why."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """How one checkpoint is fetched.

    `key` names its unfinished file. What must come: `sha256` in full, or something that begins
    with `prefix`; `doubtful` is a declared hash that only leads to a warning. `size` in bytes.
    """

    key: str
    sha256: str | None
    prefix: str | None
    doubtful: str | None
    size: int | None
    candidates: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]


def plan_fetch(checkpoint: Checkpoint, settings: Settings) -> FetchPlan:
    """Decide where a checkpoint may come from: local sources, mirrors, then other sources."""
    full = full_sha256(checkpoint)
    local: list[Candidate] = []
    mirrors: list[Candidate] = []
    remote: list[Candidate] = []
    refused: list[Refusal] = []
    for url in checkpoint.sources:
        scheme = url.partition(":")[0].lower()
        reason = refusal(url, settings, full_hash=full is not None, mirror=False)
        if reason:
            refused.append(Refusal(url, reason))
        elif scheme in LOCAL:
            local.append(Candidate(url, "local"))
        else:
            remote.append(Candidate(url, "source"))
    path = mirror_path(checkpoint.sources[0]) if checkpoint.sources else None
    for base in settings.mirrors if path else ():
        assert path is not None
        url = mirror_url(base, path)
        reason = refusal(url, settings, full_hash=full is not None, mirror=True)
        if reason:
            refused.append(Refusal(url, reason))
        else:
            mirrors.append(Candidate(url, "mirror"))
    prefix = checkpoint.sha256_prefix if checkpoint.declared == "prefix" else None
    return FetchPlan(
        key=file_key(checkpoint),
        sha256=full,
        prefix=prefix.lower() if prefix and full is None else None,
        doubtful=(checkpoint.doubtful_sha256 or None) if full is None else None,
        size=checkpoint.size,
        candidates=(*local, *mirrors, *remote),
        refused=tuple(refused),
    )


def refusal(url: str, settings: Settings, *, full_hash: bool, mirror: bool) -> str | None:
    """Why a URL may not be asked, or None if it may."""
    scheme = url.partition(":")[0].lower()
    # Whoever can write there could take the signature away: it was asked for, so it must be.
    unsigned = mirror and not full_hash and bool(settings.trusted_keys)
    if scheme in LOCAL:
        return UNSIGNED if unsigned else None
    problem = problem_of(url)
    if problem:
        return problem
    host = origin_of(url)[1]
    if scheme not in ("http", "https", "hf"):
        return f"zoohub does not know the scheme {scheme!r}"
    if settings.offline and scheme != "hf":
        return "the network is switched off (ZOOHUB_OFFLINE)"
    if scheme == "http" and not is_this_machine(host):
        if not full_hash:
            return "without a full hash a file is taken over https only"
        if not mirror and not settings.allow_http:
            return "plain http is off (set ZOOHUB_ALLOW_HTTP=1 to allow it)"
    return UNSIGNED if unsigned else None


def mirror_path(url: str) -> PurePosixPath | None:
    """Where a mirror keeps a source: `<host>/<decoded path>`; None where no mirror has it.

    `hf://owner/repo/path@rev` lies where its https URL says:
    `huggingface.co/owner/repo/resolve/rev/path`. A path that would leave the mirror's folder, that
    some system cannot have as a file's name, or that needs a query is on no mirror.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme == "hf":
        hub = hub_file(url)
        if hub is None:
            return None
        names = ["huggingface.co", *hub.repo.split("/"), "resolve", hub.revision or "main"]
        names += hub.path.split("/")
    elif scheme in ("http", "https") and not parts.query:
        names = [host, *unquote(parts.path).split("/")[1:]]
    else:
        return None
    return PurePosixPath(*names) if len(names) > 1 and all(map(is_safe_name, names)) else None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the Hugging Face Hub; `revision` None is the main branch."""

    repo: str
    path: str
    revision: str | None


def hub_file(url: str) -> HubFile | None:
    """What `hf://owner/repo/path[@revision]` means, or None if it means nothing."""
    rest, _, revision = url.partition("://")[2].partition("@")
    names = rest.split("/")
    if len(names) < 3 or not all(names) or {".", ".."} & set(names):
        return None
    return HubFile("/".join(names[:2]), "/".join(names[2:]), revision or None)


def is_safe_name(name: str) -> bool:
    """Whether a name is a file's name, and the same one, on every system."""
    stem = name.split(".")[0].upper().rstrip()
    reserved = {
        "CON",
        "PRN",
        "AUX",
        "NUL",
        *(f"{d}{n}" for d in ("COM", "LPT") for n in "123456789"),
    }
    return (
        0 < len(name.encode("utf-8", "replace")) <= 255
        and name.strip(".") != ""
        and name[-1] not in ". "
        and not any(ord(letter) < 32 or letter in '<>:"\\|?*/' for letter in name)
        and stem not in reserved
    )


def mirror_url(base: str, path: PurePosixPath) -> str:
    """A mirror's URL for a path: `base` is http(s)://…, file:… or a folder."""
    if base.startswith(("http://", "https://")):
        return base.rstrip("/") + "/" + quote(str(path))
    return file_url(base) + "/" + quote(str(path))


def file_url(text: str) -> str:
    """A folder or file: URL as a file: URL without a slash at the end."""
    if not text.startswith("file:"):
        from zoohub.core.paths import local_path

        text = local_path(text).as_uri()
    return text.rstrip("/")
