"""A signature holds for one file, one purpose, one serial and one key, and for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from zoohub.errors import ManifestError
from zoohub.manifest.serials import Seen, last_seen, refuse_rollback, remember
from zoohub.manifest.signing import (
    Signed,
    generate_key,
    public_key,
    sign,
    verify_signed,
)

PEM, PUBLIC = generate_key()
DATA = b"an index"


def test_what_was_signed_verifies_with_its_serial() -> None:
    signature = sign(DATA, purpose="index", serial=7, pem=PEM)

    assert verify_signed(DATA, signature, ["" + PUBLIC], purpose="index") == Signed(7, PUBLIC)


def test_any_of_several_trusted_keys_will_do() -> None:
    signature = sign(DATA, purpose="index", serial=7, pem=PEM)
    _, other = generate_key()

    assert verify_signed(DATA, signature, [other, PUBLIC], purpose="index").key == PUBLIC


def test_changed_bytes_are_refused() -> None:
    signature = sign(DATA, purpose="index", serial=7, pem=PEM)

    with pytest.raises(ManifestError, match="does not fit"):
        verify_signed(DATA + b" ", signature, [PUBLIC], purpose="index")


def test_a_manifests_signature_does_not_fit_an_index() -> None:
    signature = sign(DATA, purpose="manifest", serial=7, pem=PEM)

    with pytest.raises(ManifestError, match="does not fit"):
        verify_signed(DATA, signature, [PUBLIC], purpose="index")


def test_the_serial_is_signed_too() -> None:
    content = json.loads(sign(DATA, purpose="index", serial=7, pem=PEM))
    content["serial"] = 8

    with pytest.raises(ManifestError, match="does not fit"):
        verify_signed(DATA, json.dumps(content).encode(), [PUBLIC], purpose="index")


def test_an_untrusted_key_is_refused_even_if_it_claims_to_be_the_trusted_one() -> None:
    pem, public = generate_key()
    signature = sign(DATA, purpose="index", serial=7, pem=pem)

    with pytest.raises(ManifestError, match=re.escape(f"signed by {public[:20]}")):
        verify_signed(DATA, signature, [PUBLIC], purpose="index")
    claimed = signature.replace(public.encode(), PUBLIC.encode())
    with pytest.raises(ManifestError, match="does not fit"):
        verify_signed(DATA, claimed, [PUBLIC], purpose="index")


def test_no_signature_and_no_trusted_key_are_refused() -> None:
    with pytest.raises(ManifestError, match="is not signed"):
        verify_signed(DATA, None, [PUBLIC], purpose="index")
    signature = sign(DATA, purpose="index", serial=7, pem=PEM)
    with pytest.raises(ManifestError, match="not in ZOOHUB_TRUSTED_KEYS"):
        verify_signed(DATA, signature, [], purpose="index")


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"schema": 2, "key": "k", "signature": "s", "serial": 1}',
        b'{"schema": 1, "key": "k", "signature": "s", "serial": true}',
        b'{"schema": 1, "key": "ed25519:AAAA", "signature": "s", "serial": 1}',
        json.dumps({"schema": 1, "key": PUBLIC, "signature": "!", "serial": 1}).encode(),
        json.dumps({"schema": 1, "key": PUBLIC, "signature": "AAAA", "serial": 1}).encode(),
    ],
)
def test_malformed_signatures_are_refused(signature: bytes) -> None:
    with pytest.raises(ManifestError):
        verify_signed(DATA, signature, [PUBLIC], purpose="index")


@pytest.mark.parametrize(
    "key",
    ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA", pytest.param(PUBLIC[:-4], id="cut short"), "ü"],
)
def test_a_malformed_trusted_key_is_told_and_not_passed_over(key: str) -> None:
    signature = sign(DATA, purpose="index", serial=7, pem=PEM)

    with pytest.raises(ManifestError, match="no public key"):
        verify_signed(DATA, signature, [PUBLIC, key], purpose="index")


@pytest.mark.parametrize("pem", [b"", b"nonsense", PEM.replace(b"PRIVATE", b"PUBLIC")])
def test_only_an_ed25519_private_key_signs(pem: bytes) -> None:
    with pytest.raises(ManifestError):
        public_key(pem)


def test_a_key_of_another_kind_does_not_sign() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ManifestError, match="not an Ed25519"):
        sign(DATA, purpose="index", serial=1, pem=pem)


def test_an_older_serial_is_refused_the_same_one_is_not() -> None:
    refuse_rollback(7, None, "it")
    refuse_rollback(7, Seen(7), "it")
    with pytest.raises(ManifestError, match="serial 6, but serial 7"):
        refuse_rollback(6, Seen(7), "it")


def test_the_highest_serial_seen_is_remembered_for_each_place(tmp_path: Path) -> None:
    assert last_seen(tmp_path, "https://a/x") is None
    remember(tmp_path, "https://a/x", 5)
    remember(tmp_path, "https://a/x", 3)

    assert last_seen(tmp_path, "https://a/x") == Seen(5)
    assert last_seen(tmp_path, "https://a/y") is None


def test_the_same_serial_for_other_bytes_is_refused(tmp_path: Path) -> None:
    remember(tmp_path, "https://a/x", 5, "a" * 64)
    seen = last_seen(tmp_path, "https://a/x")
    refuse_rollback(5, seen, "it", "a" * 64)
    with pytest.raises(ManifestError, match="other bytes"):
        refuse_rollback(5, seen, "it", "b" * 64)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"serial": true}', b"[" * 9999]
)
def test_a_damaged_note_of_a_serial_is_made_again(tmp_path: Path, damage: bytes) -> None:
    remember(tmp_path, "https://a/x", 5)
    (file,) = (tmp_path / "trust").iterdir()
    file.write_bytes(damage)
    assert last_seen(tmp_path, "https://a/x") is None
    remember(tmp_path, "https://a/x", 6)
    assert last_seen(tmp_path, "https://a/x") == Seen(6)
