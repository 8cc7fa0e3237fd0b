"""What a URL may be, and what it leads to: decided here, once, without input or output.

URLs come from strangers: indexes, `Location` headers, mirrors. What two parsers would read
differently is refused instead of read.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

Origin = tuple[str, str, int]
"""Scheme, host and port."""

PORTS = {"http": 80, "https": 443}
_LIMIT = 8_000
# Where a host ends is read differently where these stand in a URL.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def origin_of(url: str) -> Origin:
    """Scheme, host and port of a URL. Raises ValueError where it has none: see `problem_of`."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(scheme, 0)


def problem_of(url: str) -> str | None:
    """Why a text is no URL that can be asked, or None if it is one."""
    if len(url) > _LIMIT:
        return f"it has {len(url)} characters"
    if _AMBIGUOUS.search(url):
        return "it holds a blank, a backslash or a control character"
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError as error:
        return f"it is no URL ({error})"
    return "its host is unclear" if parts.netloc.count("@") > 1 else None


def following(current: str, location: str) -> str | None:
    """The URL that a `Location` header of the answer from `current` means; None if it means none.

    A user and a password in it are left out: nobody gives us secrets by a redirect.
    """
    try:
        target = urljoin(current, location.strip(" \t"))
    except ValueError:
        return None
    return None if problem_of(target) else without_user(target)


def hop_refusal(
    first: str, current: str, target: str, *, https_only: bool, allow_http: bool
) -> str | None:
    """Why a redirect from `current` to `target` is not followed, or None if it is.

    `first` is the URL the user or the index named; `https_only` holds for files without a full
    hash.
    """
    if problem_of(target):
        return "it leads to no usable URL"
    scheme, host, _ = origin_of(target)
    if scheme not in ("http", "https") or not host:
        return "only http and https are followed"
    if scheme == "http" and origin_of(current)[0] == "https":
        return "https never becomes http"
    if could_be_this_machine(host):
        return None if is_this_machine(origin_of(first)[1]) else "it leads to this machine itself"
    if scheme == "https":
        return None
    if https_only:
        return "without a full hash a file is taken over https only"
    if origin_of(target) != origin_of(first) and not allow_http:
        return "plain http to a server that you have not configured"
    return None


def is_this_machine(host: str) -> bool:
    """Whether a host certainly is this machine: what is permitted on loopback only may ask this.

    `localhost` and loopback addresses in their usual spelling, nothing else.

    >>> is_this_machine("127.0.0.1"), is_this_machine("127.1"), is_this_machine("169.254.1.1")
    (True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def could_be_this_machine(host: str) -> bool:
    """Whether a host may be this machine, or what only this machine reaches: what is refused there
    asks this.

    That is every spelling that some resolver takes for a loopback, unspecified or link-local
    address, which are also where clouds keep their machines' secrets.

    >>> could_be_this_machine("127.1"), could_be_this_machine("a.localhost")
    (True, True)
    """
    # What browsers and requests do to a host before they look it up.
    name = unicodedata.normalize("NFKC", unquote(host)).replace("\u3002", ".")
    name = name.strip("[]").partition("%")[0].rstrip(".").lower()
    labels = name.split(".")
    if not name or any(label.startswith("localhost") for label in (labels[0], labels[-1])):
        return True
    if labels[0] in ("ip6-localhost", "ip6-loopback", "broadcasthost"):
        return True
    try:
        return any(map(_is_near, _meanings(ipaddress.ip_address(name))))
    except ValueError:
        # 2130706433, 0x7f.1 and 127.1 are addresses to a resolver though not to ipaddress.
        return labels[-1].isdigit() or labels[-1].startswith("0x")


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _meanings(address: _Address) -> list[_Address]:
    """The address, and the IPv4 addresses that it wraps."""
    found: list[_Address | None] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        found += [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64 or int(address) >> 32 == 0:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [meaning for meaning in found if meaning is not None]


def _is_near(address: _Address) -> bool:
    return address.is_loopback or address.is_unspecified or address.is_link_local


def without_user(url: str) -> str:
    """The URL without the user and password it may carry; they travel in the header."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def public(place: str) -> str:
    """A URL as `redact` has it, a path as it stands: what may be shown of a setting."""
    return redact(place) if "://" in place else place


def redact(url: str) -> str:
    """A URL fit for messages and records: no password, no signed query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    host = parts.netloc.rpartition("@")[2]
    query = "…" if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
