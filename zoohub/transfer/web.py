"""The HTTP(S) origin: ranges, redirects and refusals by our own rules, the rest by `requests`."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from zoohub.store.policy import TransferPolicy
from zoohub.transfer.credentials import Credential, authorization, find_credential, origin_of
from zoohub.transfer.origin import Reply, Request, SourceError
from zoohub.transfer.plan import is_loopback, redact

if TYPE_CHECKING:
    import requests

_REDIRECTS = {301, 302, 303, 307, 308}
_AGAIN = {408, 425, 429}
_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)


class WebOrigin:
    """`http:` and `https:` URLs. One object for one thread; connections are kept alive.

    Proxies and CA bundles are the ones `requests` finds in the environment; TLS is always
    verified.
    """

    def __init__(
        self,
        policy: TransferPolicy,
        *,
        timeout: float,
        tokens: Mapping[str, str],
        allow_http: bool = False,
    ) -> None:
        import requests

        self._session = requests.Session()
        # Asked once for each server below, instead of for each request.
        self._session.trust_env = False
        self._environment: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._policy = policy
        self._timeout = (policy.connect_timeout, timeout)
        self._tokens = tokens
        self._allow_http = allow_http

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def open(self, request: Request) -> Reply:
        """Ask for a range, if the file is still the same, or for the whole file."""
        headers = {"Accept-Encoding": "identity"}
        if request.start or request.end is not None:
            last = "" if request.end is None else request.end - 1
            headers["Range"] = f"bytes={request.start}-{last}"
            if request.validator is not None:
                headers["If-Range"] = request.validator
        response = self._follow(request, headers)
        try:
            return _reply(response, request.start, self._policy)
        except BaseException:
            response.close()
            raise

    def _follow(self, request: Request, headers: dict[str, str]) -> requests.Response:
        """Send the request, through redirects."""
        credential = find_credential(request.url, self._tokens)
        target = _without_user(request.url)
        first = target
        for _ in range(self._policy.hops + 1):
            response = self._send(target, headers, credential)
            if response.status_code not in _REDIRECTS:
                return response
            location = response.headers.get("Location")
            response.close()
            if not location:
                raise SourceError("gone", f"HTTP {response.status_code} without a Location")
            following = _without_user(urljoin(target, location))
            reason = hop_refusal(
                first,
                target,
                following,
                https_only=request.https_only,
                allow_http=self._allow_http,
            )
            if reason:
                raise SourceError("refused", f"redirects to {redact(following)}: {reason}")
            if origin_of(following) != origin_of(target):
                credential = None  # once it has left, it does not come back either
            target = following
        raise SourceError("refused", f"redirects more than {self._policy.hops} times")

    def _surroundings(self, url: str) -> dict[str, Any]:
        """The proxies and the CA bundle that `requests` finds in the environment for a server."""
        import requests

        origin = origin_of(url)
        if origin not in self._environment:
            with requests.Session() as session:
                found = session.merge_environment_settings(url, {}, None, None, None)
            self._environment[origin] = {
                name: found[name] for name in ("proxies", "verify", "cert")
            }
        return self._environment[origin]

    def _send(
        self, url: str, headers: dict[str, str], credential: Credential | None
    ) -> requests.Response:
        import requests

        secret = authorization(credential, url)
        surroundings = self._surroundings(url)
        try:
            return self._session.get(
                url,
                headers=headers,
                auth=lambda request: _authorize(request, secret),
                stream=True,
                allow_redirects=False,
                timeout=self._timeout,
                **surroundings,
            )
        except requests.exceptions.SSLError as error:
            raise SourceError(
                "refused", f"its TLS certificate does not hold: {_why(error)}"
            ) from None
        except requests.exceptions.ProxyError as error:
            raise SourceError(
                "unreachable", f"the proxy gives no connection: {_why(error)}"
            ) from None
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ConnectionError) as error:
            kind = "unreachable" if _never_connected(error) else "transient"
            raise SourceError(kind, _why(error)) from None  # type: ignore[arg-type]
        except requests.exceptions.Timeout:
            raise SourceError("transient", f"no answer for {self._timeout[1]:g} s") from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise SourceError("gone", f"it cannot be asked: {_why(error)}") from None


def hop_refusal(
    first: str, current: str, following: str, *, https_only: bool, allow_http: bool
) -> str | None:
    """Why a redirect from `current` to `following` is not followed, or None if it is.

    `first` is the URL the user or the index named; `https_only` holds for files without a full
    hash.
    """
    scheme, host, _ = origin_of(following)
    if scheme not in ("http", "https") or not host:
        return "only http and https are followed"
    if scheme == "https":
        return None
    if origin_of(current)[0] == "https":
        return "https never becomes http"
    if is_loopback(host):
        return None if is_loopback(origin_of(first)[1]) else "it leads to this machine itself"
    if https_only:
        return "without a full hash a file is taken over https only"
    if origin_of(following) != origin_of(first) and not allow_http:
        return "plain http to a server that you have not configured"
    return None


def _reply(response: requests.Response, start: int, policy: TransferPolicy) -> Reply:
    """What a response means, as a stream; raises `SourceError` for all that give no bytes."""
    status, headers = response.status_code, response.headers
    validator = _validator(headers)
    if status == 200:
        encoded = headers.get("Content-Encoding", "identity").strip().lower() not in (
            "",
            "identity",
        )
        length = None if encoded else _length(headers.get("Content-Length"))
        chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        framed = length is not None or chunked or "Content-Length" in headers
        # The bytes of an encoded body have no offsets that a later Range could name.
        validator = None if encoded else validator
        return _stream(response, 0, length, validator, policy, framed=framed, length=length)
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is None or match[1] is None:
            raise SourceError("transient", "HTTP 206 that does not say which bytes it brings")
        if int(match[1]) != start:
            raise SourceError(
                "transient", f"HTTP 206 from byte {match[1]} where byte {start} was asked for"
            )
        total = None if match[3] == "*" else int(match[3])
        length = int(match[2]) - int(match[1]) + 1
        return _stream(
            response, start, total, validator, policy, framed=True, length=length, ranged=True
        )
    if status == 416:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is not None and match[3] == str(start):
            response.close()
            return Reply(start, start, validator, lambda _: b"", lambda: None)
        raise SourceError("changed", "HTTP 416: it has no byte where the rest should begin")
    reason = f"HTTP {status} {response.reason or ''}".rstrip()
    if status in (401, 403, 407):
        raise SourceError("denied", reason)
    if status in _AGAIN or status >= 500:
        raise SourceError("transient", reason, retry_after(headers.get("Retry-After"), policy))
    raise SourceError("gone", reason)


def _stream(
    response: requests.Response,
    start: int,
    total: int | None,
    validator: str | None,
    policy: TransferPolicy,
    *,
    framed: bool,
    length: int | None,
    ranged: bool = False,
) -> Reply:
    """The body as bytes; a body shorter than it should be, or too slow, is an error."""
    import requests
    import urllib3

    raw: Any = response.raw
    decode = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
    # read1 gives what has arrived; read would wait for all that was asked for.
    one = getattr(raw, "read1", None)
    came = 0
    window_began, window_came = time.monotonic(), 0

    def close() -> None:
        if length is not None and came >= length and not decode:
            raw.release_conn()  # all was read: the connection can serve the next request
        else:
            response.close()

    def read(limit: int) -> bytes:
        nonlocal came, window_began, window_came
        if length is not None and not decode:
            limit = min(limit, length - came)
            if limit <= 0:
                return b""
        try:
            if one is not None:
                data: bytes = one(limit, decode_content=decode)
            else:
                data = raw.read(min(limit, 1 << 16), decode_content=decode)
        except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
            raise SourceError("transient", _why(error)) from None
        came += len(data)
        if not data and length is not None and came < length and not decode:
            raise SourceError("transient", f"the connection ended {length - came} bytes early")
        now = time.monotonic()
        if now - window_began >= policy.slow_window:
            if (came - window_came) / (now - window_began) < policy.slow_rate:
                raise SourceError("slow", f"fewer than {policy.slow_rate:g} bytes a second came")
            window_began, window_came = now, came
        return data

    def abort() -> None:
        # Closing from another thread would not wake a thread that waits for bytes.
        with contextlib.suppress(Exception):
            raw.shutdown()

    return Reply(start, total, validator, read, close, framed, ranged, abort)


def retry_after(value: str | None, policy: TransferPolicy) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or date), within the policy's limit."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), policy.retry_after_limit) if seconds == seconds else None


def _validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may carry: a strong ETag, else Last-Modified."""
    tag = headers.get("ETag", "").strip()
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    return headers.get("Last-Modified") or None


def _length(value: str | None) -> int | None:
    return int(value) if value is not None and value.strip().isdigit() else None


def _authorize(request: Any, secret: str | None) -> Any:
    request.headers.pop("Authorization", None)
    if secret is not None:
        request.headers["Authorization"] = secret
    return request


def _without_user(url: str) -> str:
    """The URL without the user and password it may carry; they travel in the header."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _never_connected(error: Exception) -> bool:
    """Whether no connection came about: no such name, refused, no route, timed out."""
    import requests
    import urllib3

    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    )


def _why(error: Exception) -> str:
    """The cause at the bottom of a chain of wrapped errors, without the URL."""
    cause: Any = error
    while True:
        inner = getattr(cause, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next(
                (a for a in getattr(cause, "args", ()) if isinstance(a, BaseException)), None
            )
        if inner is None or inner is cause:
            break
        cause = inner
    text = str(cause)
    # urllib3 begins with the connection object's repr.
    return re.sub(r"^.*?object at 0x[0-9a-f]+>: ", "", text) or type(cause).__name__
