"""Whatever a server does wrong, what is published is right, or nothing is."""

from __future__ import annotations

import dataclasses
import email.utils
import hashlib
import random
import time

import pytest
from faulty_server import (
    chunked,
    cut_after,
    drip,
    gzipped,
    redirect,
    stall_after,
    status,
    then,
    until_close,
    wrong_length,
    wrong_range,
)

from zoohub.errors import DownloadError, IntegrityError, NoSpaceError, OfflineError
from zoohub.transfer import fetch

CONTENT = random.Random(2).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=[1, 8], ids=["one connection", "eight connections"])
def settings(settings, request):
    return dataclasses.replace(settings, connections=request.param)


@pytest.fixture
def policy(policy):
    """Small units, so that three megabytes are split."""
    return dataclasses.replace(
        policy, probe=256 << 10, unit_min=64 << 10, unit_max=256 << 10, settle=0.0, stall=1.0
    )


HARMLESS = {
    "reset": [cut_after(700_000, reset=True)] * 3,
    "truncated": [cut_after(100_000), cut_after(0), cut_after(1)],
    "stall": [stall_after(200_000, 60), stall_after(0, 60)],
    "drip": [drip(100, 0.02)],
    "content-length too long": [wrong_length(+1000)],
    "content-length too short": [],  # the bytes are cut: see below
    "206 from elsewhere": [cut_after(100_000), wrong_range(-5), wrong_range(+7)],
    "416": [cut_after(100_000), status(416, Content_Range="bytes */17")],
    "429": [status(429, Retry_After="0.05")] * 2,
    "503 until a date": [status(503, Retry_After=email.utils.formatdate(time.time() + 1))],
    "500": [status(500)] * 4,
    "408": [status(408)],
    "206 without content-range": [cut_after(100_000), status(206, b"abc")],
    "gzip": [gzipped],
    "chunked": [chunked],
    "until close": [until_close(None)],
}


@pytest.mark.parametrize("faults", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_fault_that_passes_costs_time_only(server, settings, policy, make_checkpoint, faults):
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT, *faults))
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT
    assert list((settings.home / "partial").iterdir()) == []


HOPELESS = {
    "content-length too short": wrong_length(-1000),
    "content-length too long": wrong_length(+1000),
    "always reset": cut_after(0, reset=True),
    "always stalled": stall_after(0, 60),
    "always 503": status(503),
    "always gone": status(410),
    "always dripping": drip(10, 0.05),
    "always gzipped nonsense": status(200, b"no gzip at all", Content_Encoding="gzip"),
    "redirect without a place": status(302),
    "no content": status(204),
    "cut and unmarked": until_close(1000),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", HOPELESS.values(), ids=HOPELESS.keys())
def test_a_fault_that_stays_leads_to_the_next_source(
    server, settings, policy, make_checkpoint, fault
):
    policy = dataclasses.replace(policy, tries=3)
    bad = server.put("/bad.ckpt", CONTENT, always=fault)
    good = server.put("/good.ckpt", CONTENT)
    assert (
        fetch(make_checkpoint(CONTENT, bad, good), settings, policy=policy).read_bytes() == CONTENT
    )
    other = dataclasses.replace(settings, home=settings.home / "other")
    with pytest.raises(DownloadError):
        fetch(make_checkpoint(CONTENT, bad), other, policy=policy)
    assert [path for path in (other.home / "blobs").rglob("*") if path.is_file()] == []


def test_a_server_that_ignores_ranges_is_begun_anew(server, settings, policy, make_checkpoint):
    url = server.put("/a.ckpt", CONTENT, cut_after(1_000_000), ranges=False)
    assert fetch(make_checkpoint(CONTENT, url), settings, policy=policy).read_bytes() == CONTENT


@pytest.mark.parametrize("declared", ["sha256", "none"])
def test_a_file_that_changes_in_mid_download_is_begun_anew(
    server, settings, policy, make_checkpoint, declared
):
    new = CONTENT[::-1]
    url = server.put("/a.ckpt", CONTENT)
    resource = server.resources["/a.ckpt"]

    def change() -> None:
        resource.content = new

    resource.faults.append(then(cut_after(1_000_000), change))
    sha256 = hashlib.sha256(new).hexdigest()
    wanted = make_checkpoint(
        new, url, declared=declared, sha256=sha256 if declared == "sha256" else None
    )
    assert fetch(wanted, settings, policy=policy).read_bytes() == new


def test_a_growing_file_is_never_published_by_its_old_name(
    server, settings, policy, make_checkpoint
):
    url = server.put("/log.ckpt", CONTENT)
    resource = server.resources["/log.ckpt"]

    def grow() -> None:
        resource.content += b"more"

    resource.always = then(lambda handler, resource: False, grow)
    with pytest.raises(DownloadError):
        fetch(make_checkpoint(CONTENT, url, size=len(CONTENT)), settings, policy=policy)
    assert [path for path in (settings.home / "blobs").rglob("*") if path.is_file()] == []


def test_wrong_bytes_from_the_first_of_three_mirrors_do_no_harm(
    server, settings, policy, make_checkpoint
):
    for name in ("one", "two", "three"):
        server.put(f"/{name}/127.0.0.1/a.ckpt", CONTENT)
    server.put("/one/127.0.0.1/a.ckpt", CONTENT[:-1] + b"!")
    mirrors = tuple(f"{server.url}/{name}" for name in ("one", "two", "three"))
    url = server.put("/a.ckpt", CONTENT)
    path = fetch(
        make_checkpoint(CONTENT, url), dataclasses.replace(settings, mirrors=mirrors), policy=policy
    )
    assert path.read_bytes() == CONTENT
    assert {seen.path.split("/")[1] for seen in server.seen} == {"one", "two"}


def test_bytes_of_a_mirror_that_went_away_are_continued_from_the_origin(
    server, settings, policy, make_checkpoint
):
    half = cut_after(1_500_000)
    faults = [half] + [status(404)] * 8
    server.put("/m/127.0.0.1/a.ckpt", CONTENT, *faults, always=status(404))
    url = server.put("/a.ckpt", CONTENT)
    mirrored = dataclasses.replace(settings, mirrors=(server.url + "/m",))
    assert fetch(make_checkpoint(CONTENT, url), mirrored, policy=policy).read_bytes() == CONTENT
    assert server.sent < len(CONTENT) + 500_000


def test_poisoned_bytes_in_the_folder_are_found_and_fetched_again(
    server, settings, policy, make_checkpoint
):
    partial = settings.home / "partial"
    partial.mkdir(parents=True)
    (partial / f"{SHA256}.part").write_bytes(b"poison" * 100_000)
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT))
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT
    assert not (settings.home / "quarantine").exists()  # the source was not to blame


def test_a_part_longer_than_the_file_is_thrown_away(server, settings, policy, make_checkpoint):
    partial = settings.home / "partial"
    partial.mkdir(parents=True)
    (partial / f"{SHA256}.part").write_bytes(CONTENT + b"more")
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT))
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT


def test_a_complete_part_needs_no_byte(server, settings, policy, make_checkpoint):
    partial = settings.home / "partial"
    partial.mkdir(parents=True)
    (partial / f"{SHA256}.part").write_bytes(CONTENT)
    wanted = make_checkpoint(CONTENT, server.put("/a.ckpt", CONTENT))
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT
    assert server.sent == 0


def test_a_redirect_loop_ends_after_ten_hops(server, settings, policy, make_checkpoint):
    url = server.put("/loop.ckpt", CONTENT, always=redirect("/loop.ckpt"))
    with pytest.raises(DownloadError, match="more than 10 times"):
        fetch(make_checkpoint(CONTENT, url), settings, policy=policy)
    assert len(server.seen) == 11


def test_redirects_are_followed_to_the_file(server, settings, policy, make_checkpoint):
    server.put("/real/a b.ckpt", CONTENT)
    server.put("/two.ckpt", b"", always=redirect("/real/a%20b.ckpt", 308))
    url = server.put("/one.ckpt", b"", always=redirect(f"{server.url}/two.ckpt", 301))
    assert fetch(make_checkpoint(CONTENT, url), settings, policy=policy).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://192.0.2.1/x", "//192.0.2.1/x"]
)
def test_a_redirect_to_elsewhere_is_refused(server, settings, policy, make_checkpoint, place):
    url = server.put("/a.ckpt", b"", always=redirect(place))
    with pytest.raises(DownloadError, match="redirects to"):
        fetch(make_checkpoint(CONTENT, url), settings, policy=policy)


def test_a_server_that_says_wait_is_waited_for_but_not_for_ever(
    server, settings, policy, make_checkpoint
):
    url = server.put("/a.ckpt", CONTENT, status(503, Retry_After="86400"))
    began = time.monotonic()
    assert fetch(make_checkpoint(CONTENT, url), settings, policy=policy).read_bytes() == CONTENT
    assert policy.retry_after_limit * 0.9 < time.monotonic() - began < 5


def test_a_server_that_goes_away_leaves_what_came(server, settings, policy, make_checkpoint):
    url = server.put("/a.ckpt", CONTENT, cut_after(1_000_000))
    server.resources["/a.ckpt"].always = then(cut_after(0), lambda: server.socket.close())
    with pytest.raises(DownloadError) as caught:
        fetch(make_checkpoint(CONTENT, url), settings, policy=policy)
    assert not isinstance(caught.value, (IntegrityError, OfflineError))
    [part] = (settings.home / "partial").glob("*.part")
    assert part.stat().st_size >= 256 << 10


def test_more_than_the_disk_has_is_refused_before_it_is_fetched(
    server, settings, policy, make_checkpoint
):
    url = server.put("/a.ckpt", CONTENT)
    with pytest.raises(NoSpaceError, match="bytes are needed"):
        fetch(make_checkpoint(CONTENT, url, size=1 << 60), settings, policy=policy)
    assert server.sent == 0


def test_without_a_hash_an_unmarked_end_is_not_believed(server, settings, policy, make_checkpoint):
    url = server.put("/a.ckpt", CONTENT, always=until_close(1000))
    wanted = make_checkpoint(CONTENT, url, declared="none", sha256=None)
    with pytest.raises(DownloadError, match="does not say how long"):
        fetch(wanted, settings, policy=policy)


def test_without_a_hash_a_login_page_is_not_taken_for_a_checkpoint(
    server, settings, policy, make_checkpoint
):
    url = server.put("/a.ckpt", b"<!DOCTYPE html><html>Please sign in</html>")
    wanted = make_checkpoint(CONTENT, url, declared="none", sha256=None)
    with pytest.raises(IntegrityError, match="HTML"):
        fetch(wanted, settings, policy=policy)


ODD_HEADERS = {
    "Location without a port's number": status(302, Location="http://127.0.0.1:abc/x"),
    "Location with too large a port": status(302, Location="http://127.0.0.1:99999999/x"),
    "Location with half an address": status(302, Location="http://[::1/x"),
    "Location missing": status(302),
    "Location with control characters": status(302, Location="http://a.example/\x7f\x01"),
    "Retry-After date overflows": status(
        429, Retry_After="Mon, 99999999999999999999 Jan 2024 00:00:00 GMT"
    ),
    "Retry-After of 5000 digits": status(503, Retry_After="9" * 5000),
    "Content-Length superscript": status(200, b"abc", Content_Length="\xb2"),
    "Content-Length of 5000 digits": status(200, b"abc", Content_Length="9" * 5000),
    "Content-Length of an exabyte": status(200, b"abc", Content_Length="1" + "0" * 18),
    "Content-Length twice": status(200, b"abc", Content_Length="3, 4"),
    "Content-Range of 5000 digits": status(206, b"abc", Content_Range="bytes 0-9/" + "9" * 5000),
    "Content-Range backwards": status(206, b"abc", Content_Range="bytes 9-0/10"),
    "ETag that cannot be sent": status(500, ETag='"\xfc\x80"'),
    "reason of a terminal": status(404, b"", X="\x1b[2J"),
}


@pytest.mark.parametrize("answer", ODD_HEADERS.values(), ids=ODD_HEADERS.keys())
@pytest.mark.parametrize("declared", ["sha256", "none"])
def test_no_header_ends_a_run_the_next_source_is_asked(
    server, settings, policy, make_checkpoint, answer, declared
):
    bad = server.put("/bad.ckpt", CONTENT, always=answer)
    good = server.put("/good.ckpt", CONTENT)
    sha256 = SHA256 if declared == "sha256" else None
    wanted = make_checkpoint(CONTENT, bad, good, declared=declared, sha256=sha256)
    assert fetch(wanted, settings, policy=policy).read_bytes() == CONTENT
