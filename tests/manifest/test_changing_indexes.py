"""Lock, add, update, diff, check: an index that changes changes only as its user wants."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zoohub.core.urls import could_be_this_machine
from zoohub.errors import DownloadError, ManifestError, OfflineError, UnknownModel
from zoohub.manifest.adding import add_file
from zoohub.manifest.build import build_index
from zoohub.manifest.changes import diff_indexes
from zoohub.manifest.check import check_index
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.index import Index, Layer, Locked
from zoohub.manifest.lock import read_lock, write_lock
from zoohub.manifest.opening import open_compiled, open_folder, open_index
from zoohub.manifest.places import checkout_index, fetched_file
from zoohub.manifest.remote import check_sources, update_index
from zoohub.settings import Settings

SHA = "a" * 64


# --- lock


def test_a_lock_holds_url_hash_and_size(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "zoohub.lock"
    locked = Locked("https://m.example/net50.ckpt", "1" * 64, 5)
    write_lock(file, {"net50": locked, "hub/1.9/net50_big": Locked("https://x.example", SHA, None)})
    lock = read_lock(file)
    assert lock["net50"] == locked
    held = Index(index.layers, lock=lock, lock_name=str(file))
    checkpoint = held.resolve("net50").checkpoint
    assert checkpoint is not None
    assert (checkpoint.sha256, checkpoint.size, checkpoint.declared) == ("1" * 64, 5, "sha256")
    assert checkpoint.sources == (
        "https://m.example/net50.ckpt",
        "https://a.example/lab/net50.ckpt",
    )
    with pytest.raises(ManifestError, match=r"'net18' is not in .*zoohub\.lock"):
        held.resolve("net18")
    # Looking at an entry is allowed, using it is not.
    assert held.entry("net18").model == "net18"


def test_a_lock_that_contradicts_the_index_is_an_error(index: Index) -> None:
    held = Index(index.layers, lock={"net50@1.10": Locked("https://x.example", "2" * 64, None)})
    with pytest.raises(ManifestError, match="the index has aaaa"):
        held.resolve("net50@1.10")


def test_a_malformed_lock_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "zoohub.lock"
    file.write_text("a: {url: 'https://x.example', sha256: '12'}\n")
    with pytest.raises(ManifestError, match=r"zoohub\.lock:1: must be 64"):
        read_lock(file)
    file.write_text("- a\n")
    with pytest.raises(ManifestError, match="must map references"):
        read_lock(file)
    with pytest.raises(ManifestError, match="cannot be read"):
        read_lock(tmp_path / "none")


def test_the_setting_puts_the_lock_in_force(tmp_path: Path) -> None:
    file = tmp_path / "zoohub.lock"
    write_lock(file, {"lenet5": Locked("https://x.example/l.ckpt", "3" * 64, 1)})
    index = open_index(Settings(home=tmp_path / "home", lock=file))
    with pytest.raises(ManifestError, match="the file was replaced"):
        index.resolve("lenet5")
    with pytest.raises(ManifestError, match="is not in"):
        index.resolve("resnet50")


# --- add


def test_an_added_file_resolves_and_knows_its_hash(tmp_path: Path, settings: Settings) -> None:
    weights = tmp_path / "my net.ckpt"
    weights.write_bytes(b"weights")
    mine = replace(settings, indexes=("https://e.example/i.gz", str(tmp_path / "mine")))
    like = open_index(settings).entry("resnet50")
    added = add_file(
        str(weights), weights, "flowers", mine, like=like, facts={"metrics": {"top1": 91.5}}
    )
    assert added.reference == "flowers@own"
    assert added.sha256 == hashlib.sha256(b"weights").hexdigest()
    index = open_index(replace(settings, indexes=(str(tmp_path / "mine"),)))
    checkpoint = index.resolve("flowers").checkpoint
    assert checkpoint is not None
    assert checkpoint.sources == (weights.as_uri(),)
    assert (checkpoint.size, checkpoint.format, checkpoint.declared) == (7, "ckpt", "sha256")
    assert checkpoint.network == like.checkpoint().network  # type: ignore[union-attr]
    assert checkpoint.input == like.checkpoint().input  # type: ignore[union-attr]
    assert checkpoint.metrics == {"top1": 91.5}
    second = add_file("https://w.example/b.safetensors", weights, "flowers@second", mine)
    assert second.file == added.file
    index = open_index(replace(settings, indexes=(str(tmp_path / "mine"),)))
    assert [c.id for c in index.entry("flowers").checkpoints] == ["own", "second"]
    assert index.entry("flowers").default == "own"
    with pytest.raises(ManifestError, match="ids are never used again"):
        add_file(str(weights), weights, "flowers@second", mine)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "x@../y", ".hidden"])
def test_an_added_name_cannot_leave_the_folder(
    tmp_path: Path, settings: Settings, name: str
) -> None:
    weights = tmp_path / "w.ckpt"
    weights.write_bytes(b"w")
    mine = tmp_path / "deep" / "mine"
    with pytest.raises(ManifestError):
        add_file(str(weights), weights, name, replace(settings, indexes=(str(mine),)))
    assert not list(tmp_path.rglob("*.yaml"))


def test_adding_says_what_is_missing(tmp_path: Path, settings: Settings) -> None:
    weights = tmp_path / "w.ckpt"
    weights.write_bytes(b"")
    with pytest.raises(ManifestError, match="set ZOOHUB_INDEX"):
        add_file(str(weights), weights, "x", settings)
    mine = replace(settings, indexes=(str(tmp_path / "mine"),))
    with pytest.raises(ManifestError, match="is empty"):
        add_file(str(weights), weights, "x", mine)
    weights.write_bytes(b"w")
    with pytest.raises(ManifestError, match="--format"):
        add_file("https://e.example/download?id=3", weights, "x", mine)


# --- diff and check


def test_a_difference_names_what_was_added_removed_and_changed(
    folder: Path, settings: Settings
) -> None:
    old = open_compiled(build_index(folder, folder.parent / "old.jsonl.gz").output, settings)
    file = folder / "image-classification" / "net.yaml"
    text = file.read_text().replace("net101:", "net102:").replace("abcdef12", "abcdef13")
    file.write_text(text.replace("      r1.8-small:", "      r1.7-small:"))
    new = open_folder(folder, settings)
    difference = diff_indexes(old, new)
    assert difference.added == ("net102", "net50@r1.7-small")
    assert difference.removed == ("net101", "net50@r1.8-small")
    (change,) = difference.changed
    assert (change.reference, change.field) == ("net50@lab", "sha256_prefix")
    assert (change.old, change.new) == ("abcdef12", "abcdef13")
    assert not diff_indexes(new, new)


def test_check_names_file_and_line_of_everything_wrong(folder: Path) -> None:
    faces = folder / "face-detection" / "faces.yaml"
    faces.write_text(
        faces.read_text().replace("https://a.example/one/big.ckpt", "http://a.example/one/big.ckpt")
        + "  net18:\n    aliases: [net50]\n"
    )
    (folder / "no-such-task").mkdir()
    (folder / "no-such-task" / "odd.yaml").write_text(
        "family: odd\ntask: no-such-task\nmodels:\n  odd:\n    default: a\n    checkpoints:\n"
        "      a: {format: ckpt, sources: ['https://a.example/lab/net50.ckpt']}\n"
    )
    (folder / "no-such-task" / "broken.yaml").write_text("family: broken\ntask: [\n")
    (folder / "no-such-task" / "two.yaml").write_text(
        "family: two\ntask: x\nmodels:\n  a b:\n    default: a\n  c:\n    colour: red\n"
    )
    (folder / "no-such-task" / "moved.yaml").write_text("family: other\ntask: x\nmodels: {}\n")

    def fits(spec: NetworkSpec) -> str | None:
        return "no argument 'pad'" if "pad" in spec.arguments else None

    found = [str(problem) for problem in check_index(folder, fits)]
    lines = faces.read_text().splitlines()
    http, first, own = (
        next(number for number, line in enumerate(lines, 1) if text in line)
        for text in ("http://", "shared-name", "[net50]")
    )
    expected = [
        f"small/face-detection/faces.yaml:{http}: .*plain http",
        f"small/face-detection/faces.yaml:{first}: .*the alias 'shared-name' means face_big too",
        f"small/face-detection/faces.yaml:{own}: .*the alias 'net50' is a model of its own",
        "small/image-classification/net.yaml:.*the model 'net18' is at small/face-detection",
        "small/image-classification/net.yaml:.*no argument 'pad'",
        "small/no-such-task/broken.yaml:3: not valid YAML",
        "small/no-such-task/moved.yaml:1: lies in no-such-task/moved.yaml",
        "small/no-such-task/two.yaml:4: .*a b",
        "small/no-such-task/two.yaml:7: .*colour",
        "small/no-such-task/odd.yaml:.*unknown task 'no-such-task'",
        "small/no-such-task/odd.yaml:7: .*is a source of net50@lab too",
    ]
    for pattern in expected:
        assert any(re.search(pattern, line) for line in found), (pattern, found)


def test_the_real_index_has_nothing_wrong() -> None:
    folder = checkout_index()
    if folder is None:
        pytest.skip("an installed package has no index folder")
    assert check_index(folder) == []


# --- update


@dataclass
class Site:
    """A real server of one file; `etag` is what it answers to If-None-Match."""

    url: str = ""
    data: bytes = b""
    etag: str = ""
    status: int = 200
    location: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.seen.append(dict(self.headers))
            if site.etag and self.headers.get("If-None-Match") == site.etag:
                self.send_response(304)
                self.end_headers()
                return
            self.send_response(site.status)
            if site.location:
                self.send_header("Location", site.location)
            if site.etag:
                self.send_header("ETag", site.etag)
            self.send_header("Content-Length", str(len(site.data)))
            self.end_headers()
            self.wfile.write(site.data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/index.jsonl.gz"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()


def publish(
    site: Site, tmp_path: Path, *, sha256: str = SHA, serial: int = 1, url: str = ""
) -> None:
    """Put an index of one model on the site."""
    folder = tmp_path / "published" / "user"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "far.yaml").write_text(
        "family: far\ntask: user\nmodels:\n  far:\n    default: own\n    checkpoints:\n"
        f"      own: {{format: ckpt, sha256: '{sha256}',"
        f" sources: ['{url or 'https://far.example/far.ckpt'}']}}\n"
    )
    report = build_index(folder.parent, tmp_path / "published.jsonl.gz", serial=serial)
    site.data = report.output.read_bytes()
    site.etag = f'"{hashlib.sha256(site.data).hexdigest()[:8]}"'


@pytest.fixture
def home() -> Settings:
    """The test's own home, where the built-in index is compiled already."""
    from zoohub.settings import load_settings

    return load_settings()


def test_an_update_is_fetched_once_and_then_asked_for_by_etag(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    publish(site, tmp_path)
    first = update_index(site.url, home)
    assert (first.updated, first.models, first.serials) == (True, 1, (None, 1))
    again = update_index(site.url, home)
    assert (again.updated, again.models, again.serials) == (False, 1, (1, 1))
    assert site.seen[1]["If-None-Match"] == site.etag
    assert not any("Authorization" in headers for headers in site.seen)
    index = open_index(replace(home, indexes=(site.url,)))
    assert index.entry("far").index == site.url
    assert index.entry("resnet50").index == "built-in"


@pytest.mark.parametrize("kind", ["broken", "older", "changed", "newer schema", "hostile", "gone"])
def test_a_bad_update_leaves_the_old_index(
    site: Site, tmp_path: Path, home: Settings, kind: str
) -> None:
    publish(site, tmp_path, serial=5)
    kept = update_index(site.url, home).file.read_bytes()
    if kind == "broken":
        site.data, site.etag = site.data[:-9], '"x"'
    elif kind == "older":
        publish(site, tmp_path, serial=4)
    elif kind == "changed":
        publish(site, tmp_path, serial=6, sha256="b" * 64)
    elif kind == "newer schema":
        import gzip

        site.data, site.etag = gzip.compress(b'{"schema":2,"serial":9}\n'), '"y"'
    elif kind == "hostile":
        publish(site, tmp_path, serial=6, url="file:///etc/passwd")
    else:
        site.status, site.etag = 404, '"z"'
    with pytest.raises((ManifestError, DownloadError)):
        update_index(site.url, home)
    file = fetched_file(site.url, home)
    assert file.read_bytes() == kept
    assert not list(file.parent.glob("*.tmp"))


def test_a_changed_hash_is_taken_only_when_accepted(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    publish(site, tmp_path)
    update_index(site.url, home)
    publish(site, tmp_path, serial=2, sha256="b" * 64)
    with pytest.raises(ManifestError, match="--accept-changed"):
        update_index(site.url, home)
    update = update_index(site.url, home, accept_changed=True)
    assert [(c.old, c.new) for c in update.changed] == [(SHA, "b" * 64)]


def test_a_fetched_index_may_not_give_a_built_in_file_another_hash(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    known = open_index(home).resolve("lenet5").checkpoint
    assert known is not None
    publish(site, tmp_path, url=known.sources[0])
    with pytest.raises(ManifestError, match="1 known file has another hash"):
        update_index(site.url, home)


def test_offline_and_plain_http_are_refused(site: Site, home: Settings) -> None:
    with pytest.raises(OfflineError):
        update_index(site.url, replace(home, offline=True))
    with pytest.raises(ManifestError, match="plain http is refused"):
        update_index("http://far.example/index.jsonl.gz", home)
    with pytest.raises(ManifestError, match="over https"):
        update_index("file:///etc/passwd", home)
    site.status, site.location = 302, "http://far.example/index.jsonl.gz"
    with pytest.raises(ManifestError, match="plain http is refused"):
        update_index(site.url, home)
    site.location = site.url
    with pytest.raises(DownloadError, match="redirects"):
        update_index(site.url, home)


@pytest.mark.parametrize(
    ("index", "source", "allowed"),
    [
        ("https://i.example/x.gz", "https://other.example/a.ckpt", True),
        ("https://i.example/x.gz", "http://i.example/a.ckpt", False),
        ("https://i.example/x.gz", "file:///etc/passwd", False),
        ("https://i.example/x.gz", "embedded:lenet5-digits.ckpt", False),
        ("https://i.example/x.gz", "hf://org/repo/a.ckpt", False),
        ("https://i.example/x.gz", "https://localhost/a.ckpt", False),
        ("https://i.example/x.gz", "https://127.0.0.1:8443/a.ckpt", False),
        ("https://i.example/x.gz", "https://[::1]/a.ckpt", False),
        ("https://i.example/x.gz", "https://[::ffff:127.0.0.1]/a.ckpt", False),
        ("https://i.example/x.gz", "https://2130706433/a.ckpt", False),
        ("https://i.example/x.gz", "https://127.1/a.ckpt", False),
        ("https://i.example/x.gz", "https://0x7f000001/a.ckpt", False),
        ("https://i.example/x.gz", "https://169.254.169.254/latest", False),
        ("https://i.example/x.gz", "https://a.localhost./a.ckpt", False),
        ("http://127.0.0.1:8000/x.gz", "http://127.0.0.1:8000/a.ckpt", True),
        ("http://127.0.0.1:8000/x.gz", "http://127.0.0.1:8001/a.ckpt", False),
        ("http://127.0.0.1:8000/x.gz", "https://localhost/a.ckpt", True),
    ],
)
def test_a_fetched_index_names_https_or_its_own_origin(
    index: str, source: str, allowed: bool
) -> None:
    model = {"model": "m", "checkpoints": [{"id": "a", "sources": [source]}]}
    if allowed:
        check_sources(index, model)
    else:
        with pytest.raises(ManifestError, match="may name only"):
            check_sources(index, model)


def test_public_addresses_are_not_this_machine() -> None:
    assert not could_be_this_machine("download.mindspore.cn")
    assert not could_be_this_machine("8.8.8.8")


def test_one_layer_is_enough(folder: Path, settings: Settings) -> None:
    index = Index((Layer("small", open_folder(folder, settings), trusted=False),))
    assert index.resolve("net50").entry.model == "net50"
    with pytest.raises(UnknownModel):
        index.resolve("resnet50")
