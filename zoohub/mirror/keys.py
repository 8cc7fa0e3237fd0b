"""The file that holds the key a mirror is signed with."""

from __future__ import annotations

import os
from pathlib import Path

from zoohub.errors import ManifestError, MirrorError
from zoohub.manifest.signing import generate_key, public_key


def write_key(file: Path) -> str:
    """Make a key pair, write the private key (PEM, readable by its owner only) and return the
    public one.

    Raises:
        MirrorError: the file exists already or cannot be written.
        ManifestError: `cryptography` is not installed.
    """
    pem, public = generate_key()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise MirrorError(f"{file} exists already; a key is never written over another") from None
    except OSError as error:
        raise MirrorError(f"cannot write the key {file}: {error.strerror or error}") from error
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
    return public


def read_key(file: Path) -> bytes:
    """A private key's PEM, checked.

    Raises:
        MirrorError: the file cannot be read or holds no key.
    """
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise MirrorError(
            f"cannot read the key {file}: {error.strerror or error}; make one with "
            f"`zoohub mirror keygen {file}`"
        ) from error
    try:
        public_key(pem)
    except ManifestError as error:
        raise MirrorError(f"{file}: {error}") from None
    return pem
