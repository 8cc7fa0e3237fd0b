"""Which places are asked, in which order, and which are not."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.core.urls import hop_refusal, redact
from zoohub.errors import NoSpaceError
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store.partial import Provenance
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.decide import (
    backoff,
    check_space,
    has_changed,
    plan_connections,
    plan_resume,
    unit_size,
)
from zoohub.transfer.plan import (
    hub_file,
    is_safe_name,
    mirror_path,
    mirror_url,
    plan_fetch,
)
from zoohub.transfer.sniff import looks_like

SHA256 = "ab" * 32
HTTPS, HTTP, LOCAL = "https://a.example/x.ckpt", "http://a.example/x.ckpt", "http://127.0.0.1/x"


def plan(sources, declared="sha256", **settings):
    sha256 = SHA256 if declared == "sha256" else None
    checkpoint = Checkpoint(
        "m", "x", "ckpt", tuple(sources), declared, sha256, sha256_prefix="abababab"
    )
    return plan_fetch(checkpoint, Settings(home=Path("/nowhere"), **settings))


def urls(plan):
    return [candidate.url for candidate in plan.candidates]


def test_local_sources_come_first_then_mirrors_then_the_rest():
    found = plan(
        [HTTPS, "hf://o/r/x.ckpt", "embedded:x.ckpt", "file:///x.ckpt"],
        mirrors=("https://m.example/zoo/", "/srv/zoo"),
    )
    assert urls(found) == [
        "embedded:x.ckpt",
        "file:///x.ckpt",
        "https://m.example/zoo/a.example/x.ckpt",
        "file:///srv/zoo/a.example/x.ckpt",
        HTTPS,
        "hf://o/r/x.ckpt",
    ]


def test_mirrors_are_asked_for_the_first_source_only():
    found = plan([HTTPS, "https://b.example/y.ckpt"], mirrors=("https://m.example",))
    assert [c.url for c in found.candidates if c.role == "mirror"] == [
        "https://m.example/a.example/x.ckpt"
    ]


@pytest.mark.parametrize("declared", ["prefix", "none", "doubtful"])
def test_without_a_full_hash_only_trusted_ways_are_taken(declared):
    found = plan(
        [HTTPS, HTTP, LOCAL],
        declared,
        mirrors=("http://m.example", "https://m.example", "/srv", "http://localhost:8000"),
        allow_http=True,
    )
    assert urls(found) == [
        "https://m.example/a.example/x.ckpt",
        "file:///srv/a.example/x.ckpt",
        "http://localhost:8000/a.example/x.ckpt",
        HTTPS,
        LOCAL,
    ]
    assert all("https only" in refusal.reason for refusal in found.refused)
    assert found.key == hashlib.sha256(HTTPS.encode()).hexdigest()


def test_with_a_full_hash_a_configured_mirror_may_be_plain_http():
    found = plan([HTTP], mirrors=("http://m.example",))
    assert urls(found) == ["http://m.example/a.example/x.ckpt"]
    assert "ZOOHUB_ALLOW_HTTP" in found.refused[0].reason
    assert urls(plan([HTTP], allow_http=True)) == [HTTP]


def test_offline_leaves_what_needs_no_network():
    found = plan(
        [HTTPS, LOCAL, "hf://o/r/x.ckpt", "file:///x"], offline=True, mirrors=("/srv", HTTPS)
    )
    assert urls(found) == ["file:///x", "file:///srv/a.example/x.ckpt", "hf://o/r/x.ckpt"]


@pytest.mark.parametrize(
    "url", ["ftp://a/x", "x", "", "https://[::1", "javascript:x", "http://a:b/x"]
)
def test_strange_urls_are_refused(url):
    assert plan([url]).candidates == ()
    assert len(plan([url]).refused) == 1


MIRRORED = {
    "https://d.example/a%20b/c%3D1.ckpt": "d.example/a b/c=1.ckpt",
    "https://D.Example:8443/a.ckpt": "d.example/a.ckpt",
    "hf://owner/repo/sub/x.ckpt@v1": "huggingface.co/owner/repo/resolve/v1/sub/x.ckpt",
    "hf://owner/repo/x.ckpt": "huggingface.co/owner/repo/resolve/main/x.ckpt",
}


@pytest.mark.parametrize(("url", "path"), MIRRORED.items())
def test_a_mirror_keeps_a_file_under_host_and_decoded_path(url, path):
    assert mirror_path(url) == PurePosixPath(path)


@pytest.mark.parametrize(
    "url",
    [
        "https://d.example/../../etc/passwd",
        "https://d.example/%2e%2e/%2e%2e/x",
        "https://d.example/a//b",
        "https://d.example//etc/passwd",
        "https://d.example/a%00b",
        "https://d.example/a%2f..%2f..%2fb",
        "https://d.example/a%5cb",
        "https://d.example/" + "x" * 300,
        "https://d.example/CON",
        "https://d.example/aux.ckpt",
        "https://d.example/x.",
        "https://d.example/x%20",
        "https://d.example/x?y=1",
        "https://d.example/",
        "https://d.example",
        "https:///x",
        "https://../x",
        "hf://o/../x",
        "hf://o/r",
        "embedded:x",
        "file:///x",
        "C:/x",
    ],
)
def test_a_hostile_path_is_on_no_mirror(url):
    assert mirror_path(url) is None


@given(st.text(max_size=40))
def test_no_path_leaves_the_mirrors_folder(text):
    path = mirror_path("https://d.example/" + text)
    if path is not None:
        assert path.parts[0] == "d.example"
        assert not {"..", ".", "/"} & set(path.parts)
        assert Path("/m").joinpath(*path.parts).resolve().is_relative_to("/m/d.example")


def test_names_are_safe_everywhere_or_refused():
    assert all(map(is_safe_name, ["x.ckpt", "a b", "top1=78.81.ckpt", "ä", ".hidden"]))
    bad = ["", ".", "..", "a/b", "a\\b", "a:b", "a\nb", "nul", "COM1.ckpt", "x.", "x ", "ä" * 128]
    assert not any(map(is_safe_name, bad))


def test_a_mirrors_url_is_quoted_again():
    path = PurePosixPath("d.example/a b/c=1#.ckpt")
    assert mirror_url("https://m/zoo/", path) == "https://m/zoo/d.example/a%20b/c%3D1%23.ckpt"
    assert mirror_url("/srv/my zoo", path) == "file:///srv/my%20zoo/d.example/a%20b/c%3D1%23.ckpt"


def test_a_hub_url_names_repository_path_and_revision():
    found = hub_file("hf://owner/repo/a/b.ckpt@refs/pr/1")
    assert (found.repo, found.path, found.revision) == ("owner/repo", "a/b.ckpt", "refs/pr/1")
    assert hub_file("hf://owner/repo") is None


def test_secrets_do_not_show_in_redacted_urls():
    shown = redact("https://user:secret@a.example:8443/x.ckpt?signature=secret#secret")
    assert "secret" not in shown
    assert shown.startswith("https://a.example:8443/x.ckpt")


RESUMES = [
    # here, have, known, full hash -> keep
    (Provenance(), 0, False, True, False),
    (Provenance(), 10, False, True, True),
    (Provenance(), 10, False, False, False),
    (Provenance(hashlib.sha256(b"u").hexdigest(), '"t"'), 10, True, False, True),
    (Provenance(hashlib.sha256(b"u").hexdigest(), '"t"'), 10, False, False, False),
    (Provenance(hashlib.sha256(b"u").hexdigest(), None), 10, True, False, False),
    (Provenance("other", '"t"'), 10, True, False, False),
    (Provenance("other", '"t"'), 10, True, True, True),
]


@pytest.mark.parametrize(("here", "have", "known", "full", "keep"), RESUMES)
def test_bytes_are_continued_only_where_they_can_be_trusted(here, have, known, full, keep):
    assert plan_resume(here, have, "u", known=known, full_hash=full) is keep


def test_a_change_is_seen_by_validator_or_size_of_the_same_source():
    old = Provenance("s", '"1"', 10)
    assert has_changed(old, Provenance("s", '"2"', 10))
    assert has_changed(old, Provenance("s", None, 11))
    assert not has_changed(old, Provenance("s", None, None))
    assert not has_changed(old, Provenance("other", '"2"', 11))


def test_waits_grow_from_one_to_eight_seconds():
    policy = TransferPolicy()
    assert [backoff(n, policy, 1.0) for n in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, 8]
    assert backoff(1, policy, 0.0) == 0.5


def test_connections_are_added_only_where_they_pay():
    policy = TransferPolicy()
    mb, gb = 10**6, 10**9
    assert plan_connections(400 * mb, gb, 8, policy) == 1
    assert plan_connections(20 * mb, gb, 8, policy) == 8
    assert plan_connections(100 * mb, gb, 8, policy) == 3
    assert plan_connections(0, gb, 8, policy) == 8
    assert plan_connections(1 * mb, 1 * mb, 8, policy) == 1
    assert plan_connections(1 * mb, gb, 1, policy) == 1


@given(st.integers(0, 1 << 40), st.integers(1, 64))
def test_a_unit_is_within_its_limits(left, workers):
    policy = TransferPolicy()
    assert policy.unit_min <= unit_size(left, workers, policy) <= policy.unit_max


def test_space_is_counted_exactly():
    check_space(10, 10)
    with pytest.raises(NoSpaceError, match="11 more bytes are needed, 10 are free"):
        check_space(11, 10)


HOPS = [
    # first, current, following, https_only, allow_http -> followed
    (HTTPS, HTTPS, "https://cdn.example/x", True, False, True),
    (HTTPS, HTTPS, HTTP, False, True, False),
    (HTTPS, HTTPS, "http://127.0.0.1/x", False, True, False),
    (HTTP, HTTP, "http://a.example/y", False, False, True),
    (HTTP, HTTP, "http://b.example/y", False, False, False),
    (HTTP, HTTP, "http://b.example/y", False, True, True),
    (HTTP, HTTP, "http://a.example/y", True, True, False),
    (HTTP, HTTP, "http://localhost/y", False, True, False),
    (HTTP, HTTP, HTTPS, True, False, True),
    (LOCAL, LOCAL, "http://localhost:1/y", True, False, True),
    (LOCAL, LOCAL, HTTP, False, False, False),
    (HTTPS, HTTPS, "file:///etc/passwd", False, True, False),
    (HTTPS, HTTPS, "https:///x", False, True, False),
]


@pytest.mark.parametrize(("first", "current", "following", "only", "allow", "followed"), HOPS)
def test_redirects_never_lead_to_less_trust(first, current, following, only, allow, followed):
    reason = hop_refusal(first, current, following, https_only=only, allow_http=allow)
    assert (reason is None) is followed


def test_wrong_bytes_are_described_by_their_looks():
    assert "HTML" in looks_like(b"\xef\xbb\xbf\n <!DOCTYPE html>")
    assert "Git LFS" in looks_like(b"version https://git-lfs.github.com/spec/v1\n")
    assert "gzip" in looks_like(b"\x1f\x8b\x08")
    assert "zip" in looks_like(b"PK\x03\x04")
    assert "empty" in looks_like(b"")
    assert looks_like(b"\n\x1bconv1.weight") is None
