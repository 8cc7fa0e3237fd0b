"""Fetching the small files of an index over the network: no secret is sent, nothing is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from zoohub.core.headers import printable
from zoohub.core.headers import reason as status_line
from zoohub.core.urls import following, hop_refusal, is_this_machine, origin_of, problem_of, redact
from zoohub.errors import AccessDenied, DownloadError, ManifestError, OfflineError
from zoohub.settings import Settings

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

MAX_HOPS = 10
_CHUNK = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """`changed` is False where the file is the one that `etag` was given for; `etag` is empty
    where the server gives none."""

    changed: bool
    etag: str = ""


def check_url(url: str, settings: Settings) -> None:
    """Refuse to fetch an index from where nobody vouches for it.

    Raises:
        ManifestError: it is no URL, or neither https, on this machine, nor allowed.
    """
    problem = problem_of(url)
    if problem:
        raise ManifestError(f"not a usable URL: {url[:200]!r}: {problem}")
    scheme, host, _ = origin_of(url)
    if scheme == "https":
        return
    if scheme != "http":
        raise ManifestError(f"{url}: an index is fetched over https; found {scheme or 'no scheme'}")
    if not (is_this_machine(host) or settings.allow_http):
        raise ManifestError(f"{url}: plain http is refused; use https, or set ZOOHUB_ALLOW_HTTP=1")


def fetch_small(
    url: str, file: IO[bytes], settings: Settings, *, limit: int, etag: str | None = None
) -> Answer:
    """Write what is at `url` into `file`, unless it still is what `etag` stands for.

    Raises:
        OfflineError, AccessDenied, DownloadError: it cannot be had.
        ManifestError: it is larger than `limit`.
    """
    import requests

    headers = {"Accept-Encoding": "identity"}
    if etag:
        headers["If-None-Match"] = etag
    try:
        with requests.Session() as session:
            session.auth = _no_credentials  # not even netrc's
            response = _follow(session, url, headers, settings)
            return _read(url, response, file, limit)
    except (DownloadError, ManifestError):
        raise
    except requests.ConnectionError as error:
        raise OfflineError(f"{redact(url)} cannot be reached: {type(error).__name__}") from None
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise DownloadError(f"{redact(url)} cannot be fetched: {error}") from None
        raise ManifestError(f"{redact(url)} cannot be kept: {error.strerror}") from None
    except Exception as error:  # headers of strangers make the libraries below raise anything
        raise DownloadError(f"{redact(url)} cannot be fetched: {error}") from None


def _read(url: str, response: Response, file: IO[bytes], limit: int) -> Answer:
    status = response.status_code
    if status == 304:
        return Answer(changed=False)
    line = status_line(status, response.reason)
    if status in (401, 403):
        raise AccessDenied(f"{redact(url)}: the server answered {line}")
    if status != 200:
        raise DownloadError(f"{redact(url)}: the server answered {line}")
    size = 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise ManifestError(f"{redact(url)}: larger than {limit} bytes, refused")
        file.write(chunk)
    return Answer(changed=True, etag=printable(response.headers.get("ETag")) or "")


def _no_credentials(request: PreparedRequest) -> PreparedRequest:
    return request


def _follow(session: Session, url: str, headers: Mapping[str, str], settings: Settings) -> Response:
    """GET with redirects followed by hand, by the rules that hold for every transfer."""
    first = url
    for _ in range(MAX_HOPS):
        response = session.get(
            url,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(settings.timeout, settings.timeout),
        )
        if response.status_code not in _REDIRECTS:
            return response
        response.close()
        target = following(url, response.headers.get("Location", ""))
        if target is None:
            raise DownloadError(f"{redact(first)} redirects to no usable URL")
        check_url(target, settings)
        refusal = hop_refusal(first, url, target, https_only=False, allow_http=settings.allow_http)
        if refusal:
            raise DownloadError(f"{redact(first)} redirects to {redact(target)}: {refusal}")
        url = target
    raise DownloadError(f"{redact(first)}: more than {MAX_HOPS} redirects")
