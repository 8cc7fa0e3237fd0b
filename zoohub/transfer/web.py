"""The HTTP(S) origin: ranges, redirects and refusals by our own rules, the rest by `requests`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoohub.core.urls import following, hop_refusal, origin_of, problem_of, redact, without_user
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.credentials import Credential, authorization, find_credential
from zoohub.transfer.origin import Reply, Request, SourceError
from zoohub.transfer.response import cause, read_response

if TYPE_CHECKING:
    import requests

_REDIRECTS = {301, 302, 303, 307, 308}


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
            return read_response(response, request.start, self._policy)
        except BaseException:
            response.close()
            raise

    def _follow(self, request: Request, headers: dict[str, str]) -> requests.Response:
        """Send the request, through redirects."""
        problem = problem_of(request.url)
        if problem:
            raise SourceError("refused", problem)
        credential = find_credential(request.url, self._tokens)
        target = without_user(request.url)
        first = target
        for _ in range(self._policy.hops + 1):
            response = self._send(target, headers, credential)
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            next_ = following(target, response.headers.get("Location", ""))
            if not response.headers.get("Location") or next_ is None:
                raise SourceError(
                    "gone", f"HTTP {response.status_code} without a Location that can be followed"
                )
            reason = hop_refusal(
                first, target, next_, https_only=request.https_only, allow_http=self._allow_http
            )
            if reason:
                raise SourceError("refused", f"redirects to {redact(next_)}: {reason}")
            if origin_of(next_) != origin_of(target):
                credential = None  # once it has left, it does not come back either
            target = next_
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
                "refused", f"its TLS certificate does not hold: {cause(error)}"
            ) from None
        except requests.exceptions.ProxyError as error:
            raise SourceError(
                "unreachable", f"the proxy gives no connection: {cause(error)}"
            ) from None
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ConnectionError) as error:
            kind = "unreachable" if _never_connected(error) else "transient"
            raise SourceError(kind, cause(error)) from None  # type: ignore[arg-type]
        except requests.exceptions.Timeout:
            raise SourceError("transient", f"no answer for {self._timeout[1]:g} s") from None
        except Exception as error:
            # What a server sends passes through four libraries before it is ours to check.
            raise SourceError("gone", f"it cannot be asked: {cause(error)}") from None


def _authorize(request: requests.PreparedRequest, secret: str | None) -> requests.PreparedRequest:
    request.headers.pop("Authorization", None)
    if secret is not None:
        request.headers["Authorization"] = secret
    return request


def _never_connected(error: Exception) -> bool:
    """Whether no connection came about: no such name, refused, no route, timed out."""
    import requests
    import urllib3

    first = error.args[0] if error.args else None
    reason = getattr(first, "reason", first)
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    )
