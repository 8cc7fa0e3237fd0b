"""Without a key a mirror over plain http supplies only what the index has the full hash of."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import DownloadError, IntegrityError, ManifestError, MirrorError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.hashes import parse_hashes
from zoohub.manifest.signing import generate_key, sign, verify_signed
from zoohub.mirror.keys import read_key, write_key
from zoohub.mirror.publish import Publisher
from zoohub.mirror.verify import verify
from zoohub.settings import Settings
from zoohub.store import Store, TransferPolicy
from zoohub.transfer import fetch

PEM, PUBLIC = generate_key()
SERVERS = Callable[..., tuple[Any, list[str]]]
FAST = TransferPolicy(backoff=0.01, backoff_limit=0.02, tries=2)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mirror.test` is this machine, though no client can know it."""
    genuine = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        return genuine("127.0.0.1" if host == "mirror.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


class Colleague:
    """Somebody cut off from the origin, with a mirror over plain http."""

    def __init__(self, mirror: Any, url: str, settings: Settings) -> None:
        self.mirror = mirror
        self.settings = replace(settings, mirrors=(url,), trusted_keys=(PUBLIC,))
        (item,) = mirror.zoo.select().wanted
        self.checkpoint: Checkpoint = item.checkpoint
        for file in mirror.zoo.root.rglob("*.ckpt"):
            file.unlink()  # the origin is out of reach
        self.messages: list[str] = []

    def fetch(self) -> Path:
        return fetch(self.checkpoint, self.settings, progress=self, policy=FAST)

    def start(self, name: str, total: int | None, already: int) -> None: ...
    def advance(self, count: int) -> None: ...
    def finish(self) -> None: ...
    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def colleague(
    mirror: Any, serve: SERVERS, another_home: Settings, far: None
) -> Callable[..., Colleague]:
    def make(declared: str, key: bytes | None) -> Colleague:
        mirror.zoo.add("net_a", declared=declared)
        mirror.sync(key=key)
        server, _ = serve(mirror.root)
        url = f"http://mirror.test:{server.server_address[1]}"
        return Colleague(mirror, url, another_home)

    return make


def test_a_full_hash_in_the_index_is_enough_for_plain_http(colleague: Any) -> None:
    someone = colleague("sha256", None)

    assert someone.fetch().read_bytes() == someone.mirror.file("net_a").read_bytes()


@pytest.mark.parametrize("declared", ["prefix", "none"])
def test_without_a_full_hash_an_unsigned_mirror_is_not_asked(colleague: Any, declared: str) -> None:
    someone = colleague(declared, None)

    with pytest.raises(DownloadError, match="without a full hash a file is taken over https only"):
        someone.fetch()
    [said] = someone.messages
    assert "is not signed" in said
    assert said.endswith("Files whose full hash is not known are not taken from this mirror.")


@pytest.mark.parametrize("declared", ["prefix", "none"])
@pytest.mark.parametrize("taken", ["manifest", "signature", "both"])
@pytest.mark.parametrize("scheme", ["http", "file", "folder"])
def test_a_signature_once_asked_for_is_required_whatever_the_way_to_the_mirror(
    colleague: Any, declared: str, taken: str, scheme: str
) -> None:
    """Whoever can write into the mirror can take its signature away."""
    someone = colleague(declared, PEM)
    (url,) = someone.settings.mirrors
    root = someone.mirror.root
    if taken != "signature":
        (root / "manifest.json").unlink()
    if taken != "manifest":
        (root / "manifest.json.sig").unlink()
    base = {"http": url.replace("mirror.test", "127.0.0.1"), "file": root.as_uri()}
    someone.settings = replace(someone.settings, mirrors=(base.get(scheme, str(root)),))

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    assert "are not taken from this mirror" in someone.messages[0]
    assert not list((someone.settings.home / "refs").glob("*"))


def test_without_trusted_keys_what_a_mirror_gives_is_never_held_against_the_publisher(
    colleague: Any,
) -> None:
    someone = colleague("none", None)
    (url,) = someone.settings.mirrors
    mirrors = (url.replace("mirror.test", "127.0.0.1"),)
    someone.settings = replace(someone.settings, mirrors=mirrors, trusted_keys=())
    path = someone.fetch()

    store = Store(someone.settings.home)
    assert store.recorded(someone.checkpoint) is None
    mirrored = store.mirrored(someone.checkpoint)
    assert mirrored is not None
    assert mirrored.source.startswith(mirrors[0])
    assert store.find(someone.checkpoint) == path


@pytest.mark.parametrize("declared", ["prefix", "none"])
def test_a_manifest_signed_by_a_trusted_key_gives_the_full_hash(
    colleague: Any, declared: str
) -> None:
    someone = colleague(declared, PEM)

    path = someone.fetch()

    data = someone.mirror.file("net_a").read_bytes()
    assert path.read_bytes() == data
    # The store has it under its name, and the publisher's own file is not held to it.
    store = Store(someone.settings.home)
    assert store.find(someone.checkpoint) == path
    assert store.recorded(someone.checkpoint) is None
    recorded = store.mirrored(someone.checkpoint)
    assert recorded is not None
    assert recorded.sha256 == hashlib.sha256(data).hexdigest()


def test_a_mirror_that_serves_other_bytes_than_it_signed_is_caught(colleague: Any) -> None:
    someone = colleague("prefix", PEM)
    file = someone.mirror.file("net_a")
    data = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(data[::-1])

    with pytest.raises(IntegrityError, match=hashlib.sha256(data).hexdigest()):
        someone.fetch()


def test_a_mirror_signed_by_another_key_is_not_trusted(colleague: Any) -> None:
    someone = colleague("prefix", generate_key()[0])

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    assert any("not in ZOOHUB_TRUSTED_KEYS" in message for message in someone.messages)


def test_a_signed_mirror_means_nothing_to_who_trusts_no_key(colleague: Any) -> None:
    someone = colleague("prefix", PEM)
    someone.settings = replace(someone.settings, trusted_keys=())

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()


def test_a_manifest_changed_after_signing_is_refused(colleague: Any) -> None:
    someone = colleague("prefix", PEM)
    manifest = someone.mirror.root / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    assert any("does not fit" in message for message in someone.messages)


def test_a_mirror_rolled_back_to_an_older_signed_state_is_refused(colleague: Any) -> None:
    someone = colleague("prefix", PEM)
    root = someone.mirror.root
    older = {p.name: p.read_bytes() for p in root.glob("manifest.json*")}
    someone.fetch()
    manifest = parse_hashes(older["manifest.json"], "it")
    newer = replace(manifest, serial=manifest.serial + 1).to_bytes()
    (root / "manifest.json").write_bytes(newer)
    signature = sign(newer, purpose="manifest", serial=manifest.serial + 1, pem=PEM)
    (root / "manifest.json.sig").write_bytes(signature)
    again = replace(someone.checkpoint, id="copy", sources=("https://127.0.0.1/x/y.ckpt",))
    another = replace(someone.checkpoint)
    someone.checkpoint = again
    with pytest.raises(DownloadError):  # not mirrored, but the newer manifest has been seen
        someone.fetch()

    for name, data in older.items():
        (root / name).write_bytes(data)
    someone.checkpoint = another
    for file in (someone.settings.home / "refs").iterdir():
        file.unlink()
    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    assert any("older state" in message for message in someone.messages)


def test_a_signed_hash_that_contradicts_the_published_digits_is_passed_over(
    colleague: Any,
) -> None:
    someone = colleague("none", PEM)
    someone.checkpoint = replace(someone.checkpoint, declared="prefix", sha256_prefix="00000000")

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    assert any("does not begin with 00000000" in message for message in someone.messages)


def test_a_signed_mirrors_index_and_manifest_verify(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    done = mirror.sync(key=PEM)

    for name, purpose in (("index.jsonl.gz", "index"), ("manifest.json", "manifest")):
        data = (mirror.root / name).read_bytes()
        signature = (mirror.root / f"{name}.sig").read_bytes()
        signed = verify_signed(data, signature, [PUBLIC], purpose=purpose)  # type: ignore[arg-type]
        assert signed.serial == done.serial
    trusting = replace(mirror.settings, trusted_keys=(PUBLIC,))
    assert verify(mirror.target, trusting).is_sound
    (mirror.root / "index.jsonl.gz.sig").unlink()
    assert "is not signed" in (verify(mirror.target, trusting).signature or "")


def test_a_signed_mirror_is_not_changed_without_its_key(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync(key=PEM)
    mirror.zoo.add("net_b")

    with pytest.raises(MirrorError, match="give the key again"):
        mirror.sync()
    assert not mirror.file("net_b").exists()


def test_signing_an_up_to_date_mirror_only_adds_the_signatures(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.sync()
    mirror.zoo.requests.clear()

    assert mirror.sync(key=PEM).published
    assert mirror.zoo.requests == []
    assert json.loads((mirror.root / "manifest.json.sig").read_text())["key"] == PUBLIC


def test_a_key_is_written_for_its_owner_only_and_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "zoo.key"
    public = write_key(file)

    assert public.startswith("ed25519:")
    assert file.stat().st_mode & 0o777 == 0o600
    assert Publisher(key=read_key(file)).key == file.read_bytes()
    with pytest.raises(MirrorError, match="exists already"):
        write_key(file)


def test_a_file_that_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "not.key").write_text("hello")

    with pytest.raises(MirrorError, match="not a private key"):
        read_key(tmp_path / "not.key")
    with pytest.raises(MirrorError, match="keygen"):
        read_key(tmp_path / "none.key")


def test_a_malformed_trusted_key_trusts_nothing(colleague: Any) -> None:
    someone = colleague("prefix", PEM)
    someone.settings = replace(someone.settings, trusted_keys=("ed25519:oops",))

    with pytest.raises(DownloadError, match="without a full hash"):
        someone.fetch()
    with pytest.raises(ManifestError, match="no public key"):
        verify_signed(b"", b"", ["ed25519:oops"], purpose="index")


@pytest.mark.parametrize("harm", ["unsigned", "other key", "changed", "rolled back"])
def test_a_client_with_a_trusted_key_refuses_any_other_index(
    mirror: Any, serve: SERVERS, another_home: Settings, harm: str
) -> None:
    from zoohub.manifest.remote import update_index

    mirror.root.mkdir()
    server, _ = serve(mirror.root)
    url = f"{server.url}/index.jsonl.gz"
    client = replace(another_home, trusted_keys=(PUBLIC,))
    mirror.zoo.documents["net_a"] = {"model": "net_a", "family": "net", "task": "t"}
    mirror.sync(key=generate_key()[0] if harm == "other key" else PEM)
    index, signature = mirror.root / "index.jsonl.gz", mirror.root / "index.jsonl.gz.sig"
    if harm == "unsigned":
        signature.unlink()
    elif harm == "changed":
        index.write_bytes(index.read_bytes() + index.read_bytes())
    elif harm == "rolled back":
        old = index.read_bytes(), signature.read_bytes()
        mirror.zoo.documents["net_b"] = {"model": "net_b", "family": "net", "task": "t"}
        mirror.sync(key=PEM)
        assert update_index(url, client).updated
        index.write_bytes(old[0])
        signature.write_bytes(old[1])

    message = {
        "unsigned": "is not signed",
        "other key": "not in ZOOHUB_TRUSTED_KEYS",
        "changed": "does not fit",
        "rolled back": "older",
    }
    with pytest.raises(ManifestError, match=message[harm]):
        update_index(url, client)


def test_a_client_with_the_right_key_takes_the_index(
    mirror: Any, serve: SERVERS, another_home: Settings
) -> None:
    from zoohub.manifest.opening import open_index
    from zoohub.manifest.remote import update_index

    mirror.root.mkdir()
    server, _ = serve(mirror.root)
    url = f"{server.url}/index.jsonl.gz"
    mirror.zoo.documents["our_net"] = {"model": "our_net", "family": "our", "task": "t"}
    mirror.sync(key=PEM)
    client = replace(another_home, trusted_keys=(PUBLIC,), indexes=(url,))

    update = update_index(url, client)

    assert (update.updated, update.models) == (True, 1)
    assert open_index(client).entry("our_net").model == "our_net"
