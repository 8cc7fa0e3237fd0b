"""Which secret belongs to which server. Each is bound to scheme, host and port, and https only."""

from __future__ import annotations

import netrc
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zoohub.core.urls import origin_of

__all__ = ["Credential", "authorization", "find_credential", "origin_of", "token_variable"]


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of an Authorization header and the origin it may be sent to."""

    origin: tuple[str, str, int]
    header: str = field(repr=False)


def token_variable(host: str, port: int) -> str:
    """What follows `ZOOHUB_TOKEN_` for a server: upper case, `_` for all else, port unless 443."""
    name = re.sub(r"[^A-Z0-9]", "_", host.upper())
    return name if port == 443 else f"{name}_{port}"


def find_credential(
    url: str, tokens: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> Credential | None:
    """The secret for a URL: its own user and password, else a token, else netrc's.

    Nothing is ever sent over plain http. netrc's `default` entry counts for no server.
    """
    origin = origin_of(url)
    scheme, host, port = origin
    if scheme != "https":
        return None
    parts = urlsplit(url)
    if parts.username:
        return Credential(origin, _basic(unquote(parts.username), unquote(parts.password or "")))
    token = tokens.get(token_variable(host, port))
    if token:
        return Credential(origin, f"Bearer {token}")
    found = _netrc(host, port, os.environ if environ is None else environ)
    return Credential(origin, _basic(*found)) if found else None


def authorization(credential: Credential | None, url: str) -> str | None:
    """The header to send to `url`: none unless it is the credential's own origin."""
    if credential is None or origin_of(url) != credential.origin:
        return None
    return credential.header


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def _netrc(host: str, port: int, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """netrc's entry for `host:port`, or for `host` where the port is https's own."""
    try:
        path = Path(environ["NETRC"]) if environ.get("NETRC") else Path.home() / ".netrc"
        hosts = netrc.netrc(str(path)).hosts
    except (OSError, RuntimeError, netrc.NetrcParseError):
        return None
    entry = hosts.get(f"{host}:{port}") or (hosts.get(host) if port == 443 else None)
    return (entry[0], entry[2] or "") if entry else None
