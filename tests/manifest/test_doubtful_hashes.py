"""One hash declared for two files: neither ever serves the other's bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.index import Index
from zoohub.settings import load_settings
from zoohub.store import Store
from zoohub.transfer import fetch


def checkpoint_of(index: Index, reference: str) -> Checkpoint:
    checkpoint = index.resolve(reference).checkpoint
    assert checkpoint is not None
    return checkpoint


def put(mirror: Path, checkpoint: Checkpoint, data: bytes) -> None:
    """Place bytes where a mirror keeps the checkpoint's file."""
    parts = urlsplit(checkpoint.sources[0])
    file = mirror / parts.netloc / unquote(parts.path).lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


@pytest.mark.filterwarnings("ignore")
def test_resnet152_and_mobilenetv3_never_serve_each_others_bytes(
    real: Index, tmp_path: Path
) -> None:
    one = checkpoint_of(real, "mindspore/1.10/resnet152_imagenet2012")
    two = checkpoint_of(real, "mindspore/1.10/mobilenetv3smallx10_imagenet2012")
    assert one.doubtful_sha256 == two.doubtful_sha256 is not None
    mirror = tmp_path / "mirror"
    put(mirror, one, b"the bytes of resnet152")
    put(mirror, two, b"the bytes of mobilenet")
    settings = replace(load_settings(), mirrors=(str(mirror),), offline=True)
    store = Store(settings.home)
    first = fetch(one, settings)
    assert store.find(two) is None
    second = fetch(two, settings)
    assert first.read_bytes() == b"the bytes of resnet152"
    assert second.read_bytes() == b"the bytes of mobilenet"
    # Other releases of the same name declare the same hash, and are other files all the same.
    older = checkpoint_of(real, "mindspore/1.9/resnet152_imagenet2012")
    assert older.doubtful_sha256 == one.doubtful_sha256
    assert store.find(older) is None


@pytest.mark.filterwarnings("ignore")
def test_not_even_where_one_of_them_does_have_the_declared_hash(
    real: Index, tmp_path: Path
) -> None:
    right = b"the file that the hash is of"
    declared = hashlib.sha256(right).hexdigest()
    names = (
        "mindspore/1.10/resnet152_imagenet2012",
        "mindspore/1.9/mobilenetv3smallx10_imagenet2012",
    )
    one, two = (replace(checkpoint_of(real, name), doubtful_sha256=declared) for name in names)
    mirror = tmp_path / "mirror"
    put(mirror, one, right)
    put(mirror, two, b"another file")
    settings = replace(load_settings(), mirrors=(str(mirror),), offline=True)
    assert fetch(one, settings).read_bytes() == right
    assert Store(settings.home).find(two) is None
    assert fetch(two, settings).read_bytes() == b"another file"
    assert fetch(one, settings).read_bytes() == right
