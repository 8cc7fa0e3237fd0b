"""Ed25519 signatures of an index or of a mirror's hash manifest, detached in a `.sig` file.

A signature covers what the file is for, its serial and its SHA-256, so that neither another file
nor an older one can take its place: an index's signature does not fit a manifest, and a client
that has seen serial 7 refuses serial 6. Keys are written `ed25519:<base64 of 32 bytes>`.

The arithmetic is `cryptography`'s (`pip install 'zoohub[mirror]'`), imported only when a signature
is made or checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from zoohub.core.json_reader import parse_json
from zoohub.errors import ManifestError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SUFFIX = ".sig"
MAX_SIGNATURE = 4096
Purpose = Literal["index", "manifest"]

_SCHEME = "ed25519:"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: the serial it vouches for and the public key that made it."""

    serial: int
    key: str


def generate_key() -> tuple[bytes, str]:
    """A new private key (PKCS#8 PEM, not encrypted) and its public key.

    Raises:
        ManifestError: `cryptography` is not installed.
    """
    ed25519, serialization = _library()
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, _public_text(private)


def public_key(pem: bytes) -> str:
    """The public key of a private one. Raises ManifestError where `pem` is none."""
    return _public_text(_private(pem))


def sign(data: bytes, *, purpose: Purpose, serial: int, pem: bytes) -> bytes:
    """The content of the `.sig` file for `data`.

    Raises:
        ManifestError: `pem` is no Ed25519 private key, or `cryptography` is not installed.
    """
    private = _private(pem)
    digest = hashlib.sha256(data).hexdigest()
    signature = private.sign(_message(purpose, serial, digest))
    content = {
        "schema": 1,
        "purpose": purpose,
        "serial": serial,
        "sha256": digest,
        "key": _public_text(private),
        "signature": base64.b64encode(signature).decode(),
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def verify_signed(
    data: bytes,
    signature: bytes | None,
    keys: Sequence[str],
    *,
    purpose: Purpose,
    what: str = "the file",
) -> Signed:
    """Check that one of the trusted `keys` signed exactly `data` for `purpose`.

    `signature` is the content of the `.sig` file, None where there is none; `what` names the
    file in messages. The caller compares `.serial` with the last one seen (`refuse_rollback`) and
    with the serial inside the file.

    Raises:
        ManifestError: not signed, signed by another key, or the signature does not fit; or a
            trusted key is malformed; or `cryptography` is not installed.
    """
    return verify_digest(
        hashlib.sha256(data).hexdigest(), signature, keys, purpose=purpose, what=what
    )


def verify_digest(
    sha256: str,
    signature: bytes | None,
    keys: Sequence[str],
    *,
    purpose: Purpose,
    what: str = "the file",
) -> Signed:
    """As `verify_signed`, for a file whose SHA-256 (hex) the caller has computed itself."""
    trusted = {public_bytes(key): key for key in keys}
    if signature is None:
        raise ManifestError(
            f"{what} is not signed, and ZOOHUB_TRUSTED_KEYS asks for a signature; refused. Ask the "
            "mirror's keeper to sign it (`zoohub mirror sync --sign KEY`)"
        )
    content = _read(signature, what)
    key = trusted.get(public_bytes(content["key"]))
    if key is None:
        raise ManifestError(
            f"{what} is signed by {content['key']}, which is not in ZOOHUB_TRUSTED_KEYS; refused"
        )
    serial: int = content["serial"]
    ed25519, _ = _library()
    from cryptography.exceptions import InvalidSignature

    public = ed25519.Ed25519PublicKey.from_public_bytes(public_bytes(key))
    try:
        public.verify(_decode(content["signature"]), _message(purpose, serial, sha256))
    except (InvalidSignature, ValueError):
        raise ManifestError(
            f"{what}: the signature does not fit its bytes (SHA-256 {sha256}, serial {serial}): "
            "the file was changed after it was signed, or only one of the two has arrived; refused"
        ) from None
    return Signed(serial, key)


def _message(purpose: str, serial: int, sha256: str) -> bytes:
    return f"zoohub signature 1\n{purpose}\n{serial}\n{sha256}\n".encode()


def _read(signature: bytes, what: str) -> dict[str, Any]:
    try:
        content = parse_json(signature, what, max_bytes=MAX_SIGNATURE)
    except ManifestError:
        content = None
    fields = {"key": str, "signature": str, "serial": int}
    if (
        not isinstance(content, dict)
        or content.get("schema") != 1
        or any(type(content.get(name)) is not kind for name, kind in fields.items())
    ):
        raise ManifestError(f"{what}: its signature file is malformed, or of a newer zoohub")
    return content


def public_bytes(key: str) -> bytes:
    """The 32 bytes of a public key. Raises ManifestError: it is none."""
    try:
        raw = _decode(key[len(_SCHEME) :]) if key.startswith(_SCHEME) else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise ManifestError(
            f"{key[:80]!r} is no public key; write ed25519: and the base64 that "
            "`zoohub mirror keygen` printed"
        )
    return raw


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _public_text(private: Ed25519PrivateKey) -> str:
    _, serialization = _library()
    raw = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return _SCHEME + base64.b64encode(raw).decode()


def _private(pem: bytes) -> Ed25519PrivateKey:
    ed25519, serialization = _library()
    try:
        private: Any = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ManifestError(f"not a private key that zoohub can read: {error}") from None
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise ManifestError("not an Ed25519 private key; make one with `zoohub mirror keygen FILE`")
    key: Ed25519PrivateKey = private
    return key


def _library() -> tuple[ModuleType, ModuleType]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ManifestError(
            "signatures need the package cryptography; get it with `pip install 'zoohub[mirror]'`"
        ) from None
    return ed25519, serialization
