"""`mirror serve` answers as a good static server does, and shows nothing but the mirror."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import MirrorError
from zoohub.mirror.server import Server, Span, find_file, make_server, parse_range

BODY = bytes(range(256)) * 4
Ask = Callable[..., tuple[http.client.HTTPResponse, bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "mirror"
    (root / "host" / "deep").mkdir(parents=True)
    (root / "host" / "a file+ü.ckpt").write_bytes(BODY)
    (root / "host" / "page.html").write_text("<script>alert(1)</script>")
    (root / "index.html").write_text("<h1>zoo</h1>")
    (root / ".zoohub").mkdir()
    (root / ".zoohub" / "journal.jsonl").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (root / "host" / "way-out").symlink_to(tmp_path / "secret")
    (root / "host" / "empty.ckpt").touch()
    return root


@pytest.fixture
def ask(folder: Path, serve: Any) -> Ask:
    server: Server = serve(folder)[0]

    def send(
        target: str, method: str = "GET", **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in fields.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    return send


FILE = "/host/a%20file+%C3%BC.ckpt"


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-", Span(0, 10)),
        ("bytes=3-5", Span(3, 6)),
        ("bytes=9-99", Span(9, 10)),
        ("bytes=-4", Span(6, 10)),
        ("bytes=-99", Span(0, 10)),
        ("bytes=5-3", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=-", None),
    ],
)
def test_a_range_header_means_one_span_or_the_whole(header: str | None, span: Span | None) -> None:
    assert parse_range(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r"end|suffix"):
        parse_range(header, 10)


def test_a_file_comes_whole_with_its_length_and_tag(ask: Ask) -> None:
    response, body = ask(FILE)

    assert (response.status, body) == (200, BODY)
    assert response.headers["Content-Length"] == "1024"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["ETag"].startswith('"')


def test_head_gives_the_same_headers_and_no_body(ask: Ask) -> None:
    whole, _ = ask(FILE)
    response, body = ask(FILE, "HEAD")

    assert (response.status, body) == (200, b"")
    drop = {"Date"}
    assert {k: v for k, v in response.headers.items() if k not in drop} == {
        k: v for k, v in whole.headers.items() if k not in drop
    }


def test_a_range_is_answered_with_that_range(ask: Ask) -> None:
    response, body = ask(FILE, Range="bytes=100-199")

    assert (response.status, body) == (206, BODY[100:200])
    assert response.headers["Content-Range"] == "bytes 100-199/1024"


def test_a_range_beyond_the_end_is_416_with_the_size(ask: Ask) -> None:
    response, _ = ask(FILE, Range="bytes=1024-")

    assert response.status == 416
    assert response.headers["Content-Range"] == "bytes */1024"


def test_if_range_gives_the_part_of_the_same_file_and_the_whole_of_another(ask: Ask) -> None:
    tag = ask(FILE, "HEAD")[0].headers["ETag"]
    date = ask(FILE, "HEAD")[0].headers["Last-Modified"]

    assert ask(FILE, Range="bytes=0-9", If_Range=tag)[0].status == 206
    assert ask(FILE, Range="bytes=0-9", If_Range=date)[0].status == 206
    assert ask(FILE, Range="bytes=0-9", If_Range='"other"')[0].status == 200
    assert ask(FILE, Range="bytes=0-9", If_Range="Mon, 01 Jan 2001 00:00:00 GMT")[0].status == 200


def test_a_client_that_has_the_file_gets_304(ask: Ask) -> None:
    head = ask(FILE, "HEAD")[0].headers

    response, body = ask(FILE, If_None_Match=f'"x", W/{head["ETag"]}')
    assert (response.status, body) == (304, b"")
    assert ask(FILE, If_Modified_Since=head["Last-Modified"])[0].status == 304
    assert ask(FILE, If_None_Match='"x"', If_Modified_Since=head["Last-Modified"])[0].status == 200


def test_the_tag_changes_with_the_file(ask: Ask, folder: Path) -> None:
    before = ask(FILE, "HEAD")[0].headers["ETag"]
    (folder / "host" / "a file+ü.ckpt").write_bytes(BODY[::-1])

    assert ask(FILE, "HEAD")[0].headers["ETag"] != before


def test_the_root_is_the_catalogue_under_a_strict_policy(ask: Ask) -> None:
    response, body = ask("/")

    assert body == b"<h1>zoo</h1>"
    assert response.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_html_file_among_the_models_is_never_a_page(ask: Ask) -> None:
    response, _ = ask("/host/page.html")

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_empty_file_is_an_empty_body(ask: Ask) -> None:
    response, body = ask("/host/empty.ckpt")

    assert (response.status, body) == (200, b"")


@pytest.mark.parametrize(
    "target",
    [
        "/../secret",
        "/%2e%2e/secret",
        "/host/..%2f..%2fsecret",
        "/host/%2e%2e/%2e%2e/secret",
        "//etc/passwd",
        "/host/..%5c..%5csecret",
        "/host/way-out",
        "/.zoohub/journal.jsonl",
        "/%2ezoohub/journal.jsonl",
        "/host/a%00b",
        "/host",
        "/host/deep/",
        "/C:/secret",
        "http://other/secret",
        "/nothing",
        "/" + "a" * 5000,
    ],
)
def test_nothing_outside_the_mirror_and_no_dot_name_is_served(
    ask: Ask, folder: Path, target: str
) -> None:
    response, body = ask(target)

    assert response.status == 404
    assert b"secret" not in body
    assert find_file(folder.resolve(), target) is None


def test_other_methods_are_refused(ask: Ask) -> None:
    for method in ("PUT", "DELETE", "POST"):
        assert ask(FILE, method)[0].status == 501


def test_one_connection_serves_many_requests(folder: Path, serve: Any) -> None:
    server = serve(folder)[0]
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    for _ in range(3):
        connection.request("GET", FILE)
        response = connection.getresponse()
        assert response.read() == BODY
        assert not response.will_close
    connection.close()


def test_it_binds_loopback_unless_told_otherwise(folder: Path) -> None:
    with make_server(folder) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_a_missing_folder_and_a_taken_port_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match="is no folder"):
        make_server(tmp_path / "none")
    with make_server(folder) as server, pytest.raises(MirrorError, match="cannot serve on"):
        make_server(folder, port=server.server_address[1])
