"""The full hash of a file whose index entry has none, from a mirror's manifest that a trusted key
signed.

With such a hash any source may serve the bytes, a mirror over plain http too. Without it, where
keys are trusted, no mirror is asked: a hash's first eight digits can be forged in minutes, and who
can write into a mirror can take its signature away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from zoohub.core.urls import redact
from zoohub.errors import ManifestError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.hashes import MAX_BYTES, NAME, FileRecord, HashManifest, parse_hashes
from zoohub.manifest.serials import last_seen, refuse_rollback, remember
from zoohub.manifest.signing import MAX_SIGNATURE, SUFFIX, verify_signed
from zoohub.settings import Settings
from zoohub.store.layout import full_sha256
from zoohub.transfer.origin import Request, SourceError
from zoohub.transfer.plan import file_url, mirror_path
from zoohub.transfer.pool import Pool


def vouched_record(
    checkpoint: Checkpoint, settings: Settings, pool: Pool, notice: Callable[[str], None]
) -> FileRecord | None:
    """What the first mirror with a trusted manifest says of the checkpoint's file.

    None where nothing is to be asked (the index has the full hash, no key is trusted, no mirror
    is set) or nobody knows. A manifest that is not signed as it should be goes to `notice`.
    """
    path = mirror_path(checkpoint.sources[0]) if checkpoint.sources else None
    if path is None or full_sha256(checkpoint) is not None or not settings.trusted_keys:
        return None
    prefix = checkpoint.sha256_prefix if checkpoint.declared == "prefix" else None
    for base in settings.mirrors:
        manifest = pool.once(f"manifest {base}", partial(_read, base, settings, pool, notice))
        record = manifest.files.get(str(path)) if manifest else None
        if record is None:
            continue
        if record.sha256.startswith((prefix or "").lower()):
            return record
        notice(
            f"{redact(base)}: its manifest has SHA-256 {record.sha256} for {path}, which does not "
            f"begin with {prefix}; passed over"
        )
    return None


def read_manifest(base: str, settings: Settings, pool: Pool) -> HashManifest:
    """A mirror's manifest, signed by a trusted key and not older than the last one seen.

    Raises:
        SourceError: it cannot be had.
        ManifestError: it is not to be trusted; says why.
    """
    url = f"{base.rstrip('/')}/{NAME}" if _is_web(base) else f"{file_url(base)}/{NAME}"
    if settings.offline and _is_web(base):
        raise SourceError("unreachable", "the network is switched off (ZOOHUB_OFFLINE)")
    data = _get(url, MAX_BYTES, pool)
    try:
        signature: bytes | None = _get(url + SUFFIX, MAX_SIGNATURE, pool)
    except SourceError as error:
        if error.kind != "gone":
            raise
        signature = None
    what = redact(url)
    signed = verify_signed(data, signature, settings.trusted_keys, purpose="manifest", what=what)
    manifest = parse_hashes(data, what)
    if signed.serial != manifest.serial:
        raise ManifestError(
            f"{what} has serial {manifest.serial}, its signature is for serial {signed.serial}"
        )
    sha256 = hashlib.sha256(data).hexdigest()
    refuse_rollback(manifest.serial, last_seen(settings.home, url), what, sha256)
    remember(settings.home, url, manifest.serial, sha256)
    return manifest


def _read(
    base: str, settings: Settings, pool: Pool, notice: Callable[[str], None]
) -> HashManifest | None:
    try:
        return read_manifest(base, settings, pool)
    except ManifestError as error:
        notice(f"{error}. {_NOT_TAKEN}")
    except SourceError as error:
        if error.kind == "gone":  # else the mirror's own turn will tell
            notice(f"{redact(base)} has no {NAME} that a trusted key has signed. {_NOT_TAKEN}")
    return None


_NOT_TAKEN = "Files whose full hash is not known are not taken from this mirror."


def _get(url: str, limit: int, pool: Pool) -> bytes:
    """A small file, whole."""
    with pool.lend(url) as origin:
        reply = origin.open(Request(url))
        try:
            data = bytearray()
            while block := reply.read(1 << 20):
                data += block
                if len(data) > limit:
                    raise ManifestError(f"{redact(url)} is larger than {limit} bytes; refused")
            return bytes(data)
        finally:
            reply.close()


def _is_web(base: str) -> bool:
    return base.lower().startswith(("http://", "https://"))
