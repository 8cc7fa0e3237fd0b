"""What a second update may change and what not: serials, hashes once known, expiry, keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.manifest.test_changing_indexes import SHA, Site, home, publish, site
from zoohub.cli.main import main
from zoohub.errors import ManifestError
from zoohub.manifest.build import build_index
from zoohub.manifest.interchange import read_header
from zoohub.manifest.remote import update_index
from zoohub.manifest.signing import generate_key
from zoohub.settings import Settings

__all__ = ["home", "site"]  # the fixtures

OTHER = "b" * 64


def without_far(site: Site, tmp_path: Path, serial: int, expires: str | None = None) -> None:
    """Put an index on the site that has another model instead."""
    folder = tmp_path / f"version{serial}" / "user"
    folder.mkdir(parents=True)
    (folder / "near.yaml").write_text(
        "family: near\ntask: user\nmodels:\n  near:\n    default: own\n    checkpoints:\n"
        "      own: {format: ckpt, sources: ['https://far.example/near.ckpt']}\n"
    )
    file = tmp_path / f"version{serial}.jsonl.gz"
    build_index(folder.parent, file, serial=serial, expires=expires)
    site.data, site.etag = file.read_bytes(), f'"{serial}"'


def test_the_same_serial_with_other_bytes_is_refused(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    publish(site, tmp_path, serial=5)
    kept = update_index(site.url, home).file.read_bytes()
    without_far(site, tmp_path, serial=5)
    with pytest.raises(ManifestError, match="serial 5 as the index here, and other bytes"):
        update_index(site.url, home)
    without_far(site, tmp_path, serial=6)
    assert update_index(site.url, home).file.read_bytes() != kept


def test_a_hash_once_known_is_known_still_when_its_model_comes_back(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    publish(site, tmp_path, serial=1)
    update_index(site.url, home)
    without_far(site, tmp_path, serial=2)
    update_index(site.url, home)
    publish(site, tmp_path, serial=3, sha256=OTHER)
    with pytest.raises(ManifestError, match=f"{SHA} was known, {OTHER} is declared"):
        update_index(site.url, home)
    publish(site, tmp_path, serial=3)
    assert update_index(site.url, home).updated
    publish(site, tmp_path, serial=4, sha256=OTHER)
    update = update_index(site.url, home, accept_changed=True)
    assert [(change.old, change.new) for change in update.changed] == [(SHA, OTHER)]


def test_an_index_that_has_expired_is_refused_also_where_nothing_has_changed(
    site: Site, tmp_path: Path, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_far(site, tmp_path, serial=1, expires="2020-01-01")
    with pytest.raises(ManifestError, match="expired on 2020-01-01"):
        update_index(site.url, home)
    without_far(site, tmp_path, serial=2, expires="2999-01-01")
    assert update_index(site.url, home).updated
    assert not update_index(site.url, home).updated  # 304
    monkeypatch.setattr("zoohub.manifest.interchange.time.time", lambda: 4e10)
    with pytest.raises(ManifestError, match="expired on 2999-01-01"):
        update_index(site.url, home)


def test_that_nothing_has_changed_is_no_answer_once_keys_are_trusted(
    site: Site, tmp_path: Path, home: Settings
) -> None:
    publish(site, tmp_path)
    update_index(site.url, home)
    _, key = generate_key()
    signed = replace(home, trusted_keys=(key,))
    site.seen.clear()
    with pytest.raises(ManifestError, match="signature"):
        update_index(site.url, signed)
    assert "If-None-Match" not in site.seen[0]  # it was fetched when nothing was asked for


@pytest.mark.parametrize(
    ("name", "expires", "code"),
    [
        ("a.jsonl.gz", "2027-01-31", 0),
        ("a.jsonl.gz", "2027-01-31T12:00:00Z", 0),
        ("a.jsonl.gz", "soon", 1),
        ("a.jsonl.gz", "2027-02-31", 1),
        ("a.sqlite", "2027-01-31", 1),
    ],
)
def test_a_build_is_told_when_it_expires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, expires: str, code: int
) -> None:
    folder = tmp_path / "index" / "user"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("family: a\ntask: user\nmodels: {a: {description: Nothing.}}\n")
    file = tmp_path / name
    assert main(["index", "build", str(folder.parent), "-o", str(file), "--expires", expires]) == (
        code
    )
    assert file.exists() is (code == 0)
    if code == 0:
        assert read_header(file).expires == expires
    else:
        assert "expire" in capsys.readouterr().err
