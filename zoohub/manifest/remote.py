"""Indexes that live at a URL: fetched when told to, kept beside the cache, trusted a little.

An index from a URL may name only https sources or files of its own origin. A new version replaces
the old one only if it is whole, allowed, not older, and declares no other hash for a known file.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from zoohub.errors import AccessDenied, DownloadError, ManifestError, OfflineError
from zoohub.manifest.changes import ChangedHash, changed_hashes
from zoohub.manifest.database import Database
from zoohub.manifest.interchange import read_header, read_interchange
from zoohub.manifest.opening import built_in, open_compiled
from zoohub.settings import Settings

MAX_BYTES = 1024**3
MAX_HOPS = 10
_CHUNK = 1 << 20
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Update:
    """What `update_index` did. `updated` is False where the server said nothing has changed.
    `serials` are those of the old and the new index; the old one is None at first."""

    url: str
    updated: bool
    file: Path
    models: int
    serials: tuple[int | None, int]
    changed: tuple[ChangedHash, ...] = ()


def folder_of(url: str, settings: Settings) -> Path:
    """Where the index fetched from `url` is kept."""
    return settings.home / "index" / "remote" / hashlib.sha256(url.encode()).hexdigest()[:16]


def fetched_file(url: str, settings: Settings) -> Path:
    """The last good version of the index at `url`.

    Raises:
        ManifestError: it was never fetched; says how to.
    """
    file = folder_of(url, settings) / "index.jsonl.gz"
    if not file.is_file():
        raise ManifestError(f"the index {url} has not been fetched yet; run `zoohub index update`")
    return file


def update_index(url: str, settings: Settings, *, accept_changed: bool = False) -> Update:
    """Fetch the index at `url` if it is newer than what is there.

    The old version stays unless the new one passes every check. `accept_changed` lets a known
    file have another hash.

    Raises:
        OfflineError, AccessDenied, DownloadError: it cannot be had.
        ManifestError: it is broken, hostile, older, or changes the hash of a known file.
    """
    _check_url(url, settings)
    if settings.offline:
        raise OfflineError(f"{url}: the network is switched off (ZOOHUB_OFFLINE)")
    folder = folder_of(url, settings)
    current = folder / "index.jsonl.gz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ManifestError(f"{folder} cannot be made: {error.strerror}") from None
    part = folder / f"new.{os.getpid()}.tmp"
    try:
        etag = _download(url, part, _etag(folder) if current.is_file() else None, settings)
        if etag is None:
            header = read_header(current)
            count = open_compiled(current, settings).count()
            return Update(url, False, current, count, (header.serial, header.serial))
        old = read_header(current).serial if current.is_file() else None
        _check_signature(url, part, settings)
        models, serial, changed = _examine(url, part, old, settings, accept_changed)
        part.replace(current)
        _remember(folder, url, etag)
        return Update(url, True, current, models, (old, serial), changed)
    finally:
        part.unlink(missing_ok=True)


def _examine(
    url: str, file: Path, old: int | None, settings: Settings, accept_changed: bool
) -> tuple[int, int, tuple[ChangedHash, ...]]:
    """Check a fetched index: its models, its sources, its serial, its hashes."""
    header, models = read_interchange(file)
    if old is not None and header.serial < old:
        raise ManifestError(
            f"{url}: its serial is {header.serial}, the index here has {old}; an older index "
            "replaces no newer one"
        )
    count = 0
    for model in models:
        check_sources(url, model)
        count += 1
    changed: list[ChangedHash] = []
    known = [built_in(settings)]
    with contextlib.suppress(ManifestError):  # none fetched yet, or not readable any more
        known.append(open_compiled(fetched_file(url, settings), settings))
    for database in known:
        changed.extend(islice(_changed(database, file), 1_000))
    if changed and not accept_changed:
        first = changed[0]
        raise ManifestError(
            f"{url}: {len(changed)} known files have another hash now, first {first.reference} "
            f"({first.url}): {first.old} was known, {first.new} is declared. Nothing was replaced; "
            "`zoohub index update --accept-changed` takes it if it is meant"
        )
    return count, header.serial, tuple(changed)


def _check_signature(url: str, file: Path, settings: Settings) -> None:
    """With trusted keys, a signature beside the index must be there and fit, wherever it is from.

    Raises:
        ManifestError: the signature is missing, of another key, or does not fit.
    """
    if not settings.trusted_keys:
        return
    from zoohub.manifest.signing import MAX_SIGNATURE, SUFFIX, verify_digest

    part = file.with_name(file.name + SUFFIX)
    signature: bytes | None = None
    try:
        with contextlib.suppress(DownloadError):
            if _download(url + SUFFIX, part, None, settings, MAX_SIGNATURE) is not None:
                signature = part.read_bytes()
    finally:
        part.unlink(missing_ok=True)
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    signed = verify_digest(
        digest.hexdigest(), signature, settings.trusted_keys, purpose="index", what=url
    )
    serial = read_header(file).serial
    if signed.serial != serial:
        raise ManifestError(f"{url}: serial {serial}, but its signature is for {signed.serial}")


def _changed(known: Database, file: Path) -> Iterator[ChangedHash]:
    return changed_hashes(known, read_interchange(file)[1])


def check_sources(url: str, model: Mapping[str, Any]) -> None:
    """Refuse a source that an index from `url` may not name.

    Raises:
        ManifestError: a source is neither https nor of the index's own origin, or is on this
            machine while the index is not.
    """
    own = _origin(url)
    local = is_loopback(own[1])
    for checkpoint in model.get("checkpoints", ()):
        for source in _urls(checkpoint):
            origin = _origin(source)
            allowed = origin[0] == "https" or origin == own
            if not allowed or (is_loopback(origin[1]) and not local):
                raise ManifestError(
                    f"{url}: {model['model']}@{checkpoint['id']} names {source[:200]}; an index "
                    "from the network may name only https sources elsewhere or its own origin"
                )


def _urls(checkpoint: Mapping[str, Any]) -> Iterable[str]:
    yield from checkpoint["sources"]
    for record in checkpoint.get("records", ()):
        yield record["url"]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, in any of the spellings that resolvers accept."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost") or not name:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        # 2130706433, 0x7f.1 and 127.1 are addresses to a resolver though not to ipaddress.
        last = name.rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified or mapped.is_link_local)


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ManifestError(f"not a usable URL: {url[:200]!r}") from None
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), port or _PORTS.get(scheme, 0)


def _check_url(url: str, settings: Settings) -> None:
    scheme, host, _ = _origin(url)
    if scheme == "https":
        return
    if scheme != "http":
        raise ManifestError(f"{url}: an index is fetched over https; found {scheme or 'no scheme'}")
    if not (is_loopback(host) or settings.allow_http):
        raise ManifestError(f"{url}: plain http is refused; use https, or set ZOOHUB_ALLOW_HTTP=1")


def _download(
    url: str, part: Path, etag: str | None, settings: Settings, limit: int = MAX_BYTES
) -> str | None:
    """Fetch `url` into `part`; the new ETag (empty if there is none), None if unchanged."""
    import requests

    headers = {"Accept-Encoding": "identity"}
    if etag:
        headers["If-None-Match"] = etag
    try:
        # No secret is ever sent for an index, not even one from netrc.
        with requests.Session() as session:
            session.auth = _no_credentials
            response = _follow(session, url, headers, settings)
            if response.status_code == 304:
                return None
            if response.status_code in (401, 403):
                raise AccessDenied(f"{url}: the server answered {response.status_code}")
            if response.status_code != 200:
                raise DownloadError(f"{url}: the server answered {response.status_code}")
            size = 0
            with part.open("wb") as stream:
                for chunk in response.iter_content(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise ManifestError(f"{url}: larger than {limit} bytes, refused")
                    stream.write(chunk)
            return str(response.headers.get("ETag", ""))
    except requests.ConnectionError as error:
        raise OfflineError(f"{url} cannot be reached: {type(error).__name__}") from None
    except requests.RequestException as error:
        raise DownloadError(f"{url} cannot be fetched: {type(error).__name__}") from None
    except OSError as error:
        raise ManifestError(f"{part.parent} cannot be written: {error.strerror}") from None


def _no_credentials(request: Any) -> Any:
    return request


def _follow(session: Any, url: str, headers: Mapping[str, str], settings: Settings) -> Any:
    """GET with redirects followed by hand: never from https to http, at most ten."""
    for _ in range(MAX_HOPS):
        response = session.get(
            url,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(settings.timeout, settings.timeout),
        )
        if response.status_code not in (301, 302, 303, 307, 308):
            return response
        target = urljoin(url, response.headers.get("Location", ""))
        response.close()
        _check_url(target, settings)
        if _origin(url)[0] == "https" and _origin(target)[0] != "https":
            raise DownloadError(f"{url} redirects to plain http; refused")
        url = target
    raise DownloadError(f"{url}: more than {MAX_HOPS} redirects")


def _etag(folder: Path) -> str | None:
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        etag = state["etag"]
        return etag if isinstance(etag, str) and etag.isprintable() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(folder: Path, url: str, etag: str) -> None:
    """Written after the index: if this is lost, the index is only fetched once more."""
    part = folder / f"state.{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        part.write_text(json.dumps({"url": url, "etag": etag}), encoding="utf-8")
        part.replace(folder / "state.json")
