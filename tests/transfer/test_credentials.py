"""Secrets: each goes to its own server, over https, and nowhere else."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import ssl
import subprocess

import pytest
from faulty_server import FaultyServer, redirect, status

from zoohub.errors import AccessDenied, DownloadError
from zoohub.transfer import fetch
from zoohub.transfer.credentials import authorization, find_credential, origin_of, token_variable

CONTENT = b"\n\x10" + b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_the_variable_is_named_after_host_and_port():
    assert token_variable("zoo.example-1.org", 443) == "ZOO_EXAMPLE_1_ORG"
    assert token_variable("zoo.example.org", 8443) == "ZOO_EXAMPLE_ORG_8443"


def test_a_token_is_for_one_scheme_host_and_port():
    tokens = {"A_EXAMPLE": "secret"}
    credential = find_credential("https://A.example/x", tokens, {})
    assert credential is not None
    assert authorization(credential, "https://a.example:443/y") == "Bearer secret"
    for url in ("http://a.example/x", "https://a.example:8443/x", "https://b.a.example/x"):
        assert authorization(credential, url) is None
        assert find_credential(url, tokens, {}) is None
    assert "secret" not in repr(credential)


def test_netrc_is_read_for_https_and_its_default_for_nobody(tmp_path):
    file = tmp_path / "netrc"
    file.write_text(
        "machine a.example login me password secret\n"
        "machine b.example:8443 login you password hidden\n"
        "default login anybody password everywhere\n"
    )
    environ = {"NETRC": str(file)}
    assert find_credential("https://a.example/x", {}, environ).header == "Basic bWU6c2VjcmV0"
    assert find_credential("https://b.example:8443/x", {}, environ) is not None
    for url in ("http://a.example/x", "https://a.example:8443/x", "https://c.example/x"):
        assert find_credential(url, {}, environ) is None


def test_origins_compare_by_scheme_host_and_port():
    assert origin_of("HTTPS://A.example/x") == origin_of("https://a.example:443/y")
    assert origin_of("https://a.example") != origin_of("http://a.example:443")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate, monkeypatch):
    """A server that speaks TLS, and whose certificate `requests` is told to trust."""
    server = FaultyServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    yield server
    server.stop()


def secure_url(server: FaultyServer, path: str) -> str:
    return f"https://localhost:{server.server_port}{path}"


def with_token(settings, server):
    name = token_variable("localhost", server.server_port)
    return dataclasses.replace(settings, tokens={name: "secret"})


def needs_token(handler, resource) -> bool:
    if handler.headers.get("Authorization") == "Bearer secret":
        return False
    handler.answer(401, b"who are you?")
    return True


def test_a_token_opens_its_own_server(secure, settings, policy, make_checkpoint):
    secure.put("/a.ckpt", CONTENT, always=needs_token)
    wanted = make_checkpoint(CONTENT, secure_url(secure, "/a.ckpt"))
    with pytest.raises(AccessDenied, match="401"):
        fetch(wanted, settings, policy=policy)
    path = fetch(wanted, with_token(settings, secure), policy=policy)
    assert path.read_bytes() == CONTENT


def test_a_token_never_follows_a_redirect_to_another_server(
    secure, server, settings, policy, make_checkpoint
):
    other = FaultyServer()
    other.socket = secure.socket.context.wrap_socket(other.socket, server_side=True)
    other.put("/b.ckpt", CONTENT)
    # The other server has a token of its own: a redirect is no reason to send that either.
    tokens = {
        token_variable("localhost", secure.server_port): "secret",
        token_variable("localhost", other.server_port): "another",
    }
    secure.put("/a.ckpt", b"", always=redirect(secure_url(other, "/b.ckpt")))
    wanted = make_checkpoint(CONTENT, secure_url(secure, "/a.ckpt"))
    path = fetch(wanted, dataclasses.replace(settings, tokens=tokens), policy=policy)
    other.stop()
    assert path.read_bytes() == CONTENT
    assert "Authorization" in secure.seen[0].headers
    assert all("Authorization" not in seen.headers for seen in other.seen)


def test_https_never_becomes_http(secure, server, settings, policy, make_checkpoint):
    url = server.put("/b.ckpt", CONTENT)
    secure.put("/a.ckpt", b"", always=redirect(url))
    wanted = make_checkpoint(CONTENT, secure_url(secure, "/a.ckpt"))
    with pytest.raises(DownloadError, match="https never becomes http"):
        fetch(wanted, with_token(settings, secure), policy=policy)
    assert server.seen == []


def test_nothing_secret_is_sent_over_plain_http(
    server, settings, policy, make_checkpoint, tmp_path, monkeypatch
):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login me password secret\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    name = token_variable("127.0.0.1", server.server_port)
    url = server.put("/a.ckpt", CONTENT)
    tokens = dataclasses.replace(settings, tokens={name: "secret"})
    fetch(make_checkpoint(CONTENT, url), tokens, policy=policy)
    assert "Authorization" not in server.seen[0].headers


def test_an_untrusted_certificate_is_refused(
    secure, settings, policy, make_checkpoint, monkeypatch
):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    secure.put("/a.ckpt", CONTENT)
    wanted = make_checkpoint(CONTENT, secure_url(secure, "/a.ckpt"))
    with pytest.raises(DownloadError, match="certificate"):
        fetch(wanted, settings, policy=policy)
    assert secure.seen == []


def test_messages_and_records_hold_no_secret(secure, settings, policy, make_checkpoint, listener):
    secure.put("/a.ckpt", b"<html>", always=status(200, b"<html>"))
    url = secure_url(secure, "/a.ckpt?signature=hush").replace("//", "//me:hush@")
    with pytest.raises(DownloadError) as caught:
        fetch(make_checkpoint(CONTENT, url), settings, policy=policy, progress=listener)
    said = str(caught.value) + "".join(listener.messages)
    said += "".join(p.read_text() for p in (settings.home / "quarantine").glob("*.json"))
    assert "a.ckpt" in said
    assert "hush" not in said
    assert "hush" not in "".join(p.name for p in settings.home.rglob("*"))
