"""What is remembered of an index from a URL: its version, who signed it, and the hashes of files
that it no longer names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoohub.core.atomic import change, read_or_none, write_whole
from zoohub.core.json_reader import Json, parse_json
from zoohub.errors import ManifestError

_STATE = "state.json"
_GONE = "gone.json"


class Memory:
    """The notes in the folder of one fetched index. A note that is damaged says nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def etag(self) -> str | None:
        """What the server called the version that is here."""
        etag = self._read(_STATE).get("etag")
        return etag if isinstance(etag, str) and etag.isprintable() else None

    @property
    def signer(self) -> str | None:
        """The key that has signed the version that is here."""
        signer = self._read(_STATE).get("signer")
        return signer if isinstance(signer, str) else None

    def remember(self, url: str, etag: str, signer: str | None) -> None:
        """Written after the index: if this is lost, the index is only fetched once more."""
        content = {"url": url, "etag": etag, "signer": signer}
        write_whole(self._folder / _STATE, json.dumps(content).encode())

    @property
    def gone(self) -> dict[str, str]:
        """The hashes of URLs that earlier versions named."""
        found = self._read(_GONE).items()
        return {url: sha256 for url, sha256 in found if isinstance(sha256, str)}

    def note_gone(self, hashes: Mapping[str, str], back: Iterable[str] = ()) -> None:
        """Remember hashes of URLs that leave the index; forget those that are `back` in it."""
        if not hashes and not back:
            return

        def new(before: bytes | None) -> bytes:
            known = {**_parsed(before, _GONE), **hashes}
            for url in back:
                known.pop(url, None)
            return json.dumps(known, indent=0, sort_keys=True).encode()

        change(self._folder / _GONE, new)

    def _read(self, name: str) -> dict[str, Json]:
        try:
            return _parsed(read_or_none(self._folder / name), name)
        except OSError:
            return {}


def _parsed(data: bytes | None, name: str) -> dict[str, Json]:
    try:
        content = parse_json(data, name) if data else {}
    except ManifestError:
        return {}
    return content if isinstance(content, dict) else {}
