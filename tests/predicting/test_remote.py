"""Pictures by URL, from real servers on this machine."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoohub
from tests.cli.program import zoohub as run
from zoohub.errors import DataError, OfflineError
from zoohub.predicting import remote
from zoohub.predicting.remote import fetch_pictures
from zoohub.settings import Settings


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((32, 32), 200, np.uint8)).save(file, "PNG")
    return file.getvalue()


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place, body = self.path.partition("?")[0], picture()
        if place.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", place.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(200 if place in ("/a.png", "/cut.png", "/endless") else 404)
        if place != "/endless":
            self.send_header("Content-Length", str(len(body) + (place == "/cut.png")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_picture_by_url_is_that_picture_and_no_signed_query_is_told(
    server: str, settings: Settings
) -> None:
    (found,) = fetch_pictures(f"{server}/a.png?token=secret", settings)
    assert found.value == picture()
    assert found.name == f"{server}/a.png?…"


def test_predict_takes_it_like_any_other_form_of_the_picture(server: str, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(picture())
    forms = [f"{server}/a.png", file, str(file), picture(), io.BytesIO(picture())]
    forms += [file.open("rb"), Image.open(file), np.full((32, 32), 200, np.uint8)]
    net = zoohub.load("lenet5@digits", pretrained=True)
    together = zoohub.predict(net, forms, top=1)
    assert [p.error for p in together] == [None] * len(forms)
    assert len({p.predictions for p in together}) == 1
    assert zoohub.predict(net, io.BytesIO(picture()), top=1)[0].predictions == (
        together[0].predictions
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/a.png", "over https only"),
        ("http://127.1/a.png", "this machine itself"),
        ("https://0.0.0.0/a.png", "this machine itself"),
        ("http://169.254.169.254/latest", "this machine itself"),
        ("https://a.localhost/a.png", "this machine itself"),
        ("https://a b/x.png", "a blank"),
        ("{}/none.png", "404"),
        ("{}/cut.png", "cannot be fetched"),
        ("{}/to/http://example.org/a.png", "redirects to"),
        ("{}/to/file:///etc/passwd", "redirects to"),
    ],
)
def test_what_transfer_refuses_is_refused_for_pictures(
    server: str, settings: Settings, url: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        fetch_pictures(url.format(server), settings)


def test_a_url_that_fails_leaves_the_other_inputs(server: str, settings: Settings) -> None:
    found = fetch_pictures([f"{server}/none.png", "a.png"], settings)
    assert "404" in found[0].error
    assert found[1] == "a.png"


@pytest.mark.parametrize("place", ["a.png", "endless"])
def test_a_picture_has_a_largest_size(
    server: str, settings: Settings, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "PICTURE_LIMIT", 20)
    with pytest.raises(DataError, match="20"):
        fetch_pictures(f"{server}/{place}", settings)


def test_offline_a_url_is_refused_in_one_line(server: str) -> None:
    with pytest.raises(OfflineError, match="may not be used"):
        zoohub.predict("lenet5@digits", f"{server}/a.png", offline=True)
    done = run("predict", "lenet5@digits", f"{server}/a.png", "--offline")
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
