"""Pictures that are named by a URL, fetched by the rules of every other transfer."""

from __future__ import annotations

from typing import cast

from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.core.text_reader import exists
from zoohub.core.urls import (
    could_be_this_machine,
    is_this_machine,
    origin_of,
    problem_of,
    redact,
)
from zoohub.errors import DataError, OfflineError
from zoohub.inputs.picture.sources import Inputs
from zoohub.inputs.source import Source
from zoohub.settings import Settings

PICTURE_LIMIT = 100 << 20  # bytes


def is_url(given: object) -> bool:
    """Whether an input is named by an http or https URL."""
    return isinstance(given, str) and given.lower().startswith(("http://", "https://"))


def fetch_pictures(inputs: object, settings: Settings) -> Inputs:
    """The inputs with the bytes of a picture in the place of each URL.

    A picture that cannot be had comes as a `Source` with its error, like a file that cannot be
    read. https only, but for a server on this very machine that the caller names, or with
    `ZOOHUB_ALLOW_HTTP`; redirects are held to the rules of downloads; 100 MiB at most. Nothing is
    kept.

    Raises:
        OfflineError: there is a URL, and the network may not be used.
        DataError: nothing was given but URLs, and none of their pictures can be had.
    """
    if is_url(inputs):
        inputs = [inputs]
    if not isinstance(inputs, list | tuple) or not any(map(is_url, inputs)):
        return cast(Inputs, inputs)
    if settings.offline:
        first = next(filter(is_url, inputs))
        raise OfflineError(
            f"{redact(str(first))} is on the network, which may not be used (--offline, "
            "ZOOHUB_OFFLINE); give a file"
        )
    found = [_fetched(str(item), settings) if is_url(item) else item for item in inputs]
    if all(isinstance(item, Source) and item.value is None for item in found):
        raise DataError("; ".join(str(item.error) for item in found))
    return cast(Inputs, found)


def _fetched(url: str, settings: Settings) -> Source:
    name = redact(url)
    try:
        return Source(name, _read(url, settings))
    except DataError as error:
        return Source(name, error=f"{name}: {error}")


def _read(url: str, settings: Settings) -> bytes:
    from zoohub.store.policy import TransferPolicy
    from zoohub.transfer.origin import Request, SourceError
    from zoohub.transfer.web import WebOrigin

    problem = problem_of(url) or _refusal(url, settings)
    if problem:
        raise DataError(problem)
    origin = WebOrigin(
        TransferPolicy(),
        timeout=settings.timeout,
        tokens=settings.tokens,
        allow_http=settings.allow_http,
    )
    data = bytearray()
    try:
        reply = origin.open(Request(url, https_only=not settings.allow_http))
        try:
            if (reply.total or 0) > PICTURE_LIMIT:
                raise DataError(f"{reply.total} bytes; pictures have {PICTURE_LIMIT} at most")
            while block := reply.read(1 << 16):
                data += block
                if len(data) > PICTURE_LIMIT:
                    raise DataError(f"pictures have {PICTURE_LIMIT} bytes at most; it has more")
            if reply.total is not None and len(data) != reply.total:
                raise DataError(f"{len(data)} of {counted(reply.total, 'byte')} came")
        finally:
            reply.close()
    except SourceError as error:
        raise DataError(f"it cannot be fetched: {error}") from None
    finally:
        origin.close()
    return bytes(data)


def _refusal(url: str, settings: Settings) -> str | None:
    """Why a URL is not asked at all."""
    scheme, host, _ = origin_of(url)
    if is_this_machine(host):
        return None
    if could_be_this_machine(host):
        return "it leads to this machine itself, or what only this machine reaches"
    if scheme == "http" and not settings.allow_http:
        return "pictures are taken over https only (ZOOHUB_ALLOW_HTTP=1 permits http)"
    return None


def is_there(name: str) -> bool:
    """Whether an input on the command line may be a picture: a URL, or a path that exists."""
    return is_url(name) or exists(expanded(name))
