"""Where indexes come from: checkout, cache, users' folders, files and URLs, and who goes first."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from zoohub.errors import ManifestError, UnknownModel
from zoohub.manifest.build import build_index
from zoohub.manifest.index import Index, Layer
from zoohub.manifest.opening import open_compiled, open_folder, open_index
from zoohub.settings import Settings


def family(name: str, *, url: str = "https://u.example/x.ckpt", model: str | None = None) -> str:
    return (
        f"family: {name}\ntask: user\nmodels:\n  {model or name}:\n    default: own\n"
        f"    checkpoints:\n      own: {{format: ckpt, sources: ['{url}']}}\n"
    )


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / "user" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_the_database_is_built_once_and_again_when_the_yaml_changes(
    folder: Path, settings: Settings
) -> None:
    first = open_folder(folder, settings)
    built = first.path.stat().st_mtime_ns
    assert open_folder(folder, settings).path.stat().st_mtime_ns == built
    file = folder / "image-classification" / "net.yaml"
    file.write_text(file.read_text().replace("net101:", "net102:"))
    second = open_folder(folder, settings)
    assert second.path != first.path
    assert not first.path.exists()
    assert second.document("net102")
    # A reader that has the old one open is not disturbed.
    assert first.document("net101")


def test_a_broken_edit_is_an_error_and_leaves_no_rubbish(folder: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "empty")
    open_folder(folder, settings)
    file = folder / "image-classification" / "net.yaml"
    file.write_text(file.read_text() + "  broken: {default: nothing}\n")
    with pytest.raises(ManifestError, match=r"net\.yaml:\d+: broken: default"):
        open_folder(folder, settings)
    assert [p.suffix for p in (settings.home / "index").iterdir()] == [".sqlite"]


def _open(folder: Path, home: Path) -> int:
    return open_folder(folder, Settings(home=home)).count()


def test_processes_that_build_at_once_all_succeed(folder: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        counts = pool.starmap(_open, [(folder, tmp_path / "shared")] * 8)
    assert counts == [8] * 8
    assert len(list((tmp_path / "shared" / "index").iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_a_home_that_cannot_be_written_still_gives_an_index(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, where a folder would have to be")
    database = open_folder(folder, Settings(home=blocked / "home"))
    assert database.count() == 8
    assert blocked.read_text().startswith("a file")


def test_a_compiled_file_says_the_same_as_its_folder(folder: Path, settings: Settings) -> None:
    report = build_index(folder, folder.parent / "index.jsonl.gz", serial=7)
    assert (report.files, report.models, report.checkpoints) == (2, 8, 14)
    database = open_compiled(report.output, settings)
    assert database.meta["serial"] == "7"
    direct = open_folder(folder, settings)
    assert list(database.documents()) == list(direct.documents())


def test_a_users_index_wins_whole(tmp_path: Path, settings: Settings) -> None:
    mine, yours = tmp_path / "mine", tmp_path / "yours"
    write(mine, "resnet50", family("resnet50"))
    write(yours, "resnet50", family("resnet50", url="https://y.example/y.ckpt"))
    write(yours, "only_yours", family("only_yours"))
    index = open_index(replace(settings, indexes=(str(mine), str(yours))))
    entry = index.entry("resnet50")
    assert entry.index == str(mine)
    assert [c.id for c in entry.checkpoints] == ["own"]
    assert index.resolve("only_yours").entry.index == str(yours)
    assert index.resolve("yolov5").entry.model == "yolov5s"
    # The built-in checkpoint of a model that was replaced is not there any more.
    with pytest.raises(UnknownModel):
        index.resolve("resnet50@mindcv")
    with pytest.raises(UnknownModel):
        index.resolve("mindspore/1.10/resnet50_imagenet2012")
    names = list(index.models())
    assert names == sorted(set(names))
    assert [e.index for e in index.list("resnet50")] == [str(mine)]
    assert next(e for e in index.search("resnet50") if e.model == "resnet50").index == str(mine)


def test_a_filter_does_not_bring_back_what_was_replaced(tmp_path: Path, settings: Settings) -> None:
    mine = tmp_path / "mine"
    write(mine, "resnet50", family("resnet50"))
    index = open_index(replace(settings, indexes=(str(mine),)))
    assert "resnet50" not in [e.model for e in index.list(source="mindcv")]


def test_a_single_yaml_file_is_an_index(tmp_path: Path, settings: Settings) -> None:
    file = write(tmp_path, "mynet", family("mynet"))
    index = open_index(replace(settings, indexes=(str(file),)))
    assert index.entry("mynet").index == str(file)


def test_an_index_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(ManifestError, match=r"/no/such/index.*does not exist"):
        open_index(replace(settings, indexes=("/no/such/index",)))
    with pytest.raises(ManifestError, match="has not been fetched yet"):
        open_index(replace(settings, indexes=("https://e.example/index.jsonl.gz",)))


def test_a_fetched_index_adds_and_does_not_replace(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    theirs = tmp_path / "theirs"
    write(theirs, "net50", family("net50"))
    write(
        theirs, "sly", family("sly").replace("default: own", "default: own\n    aliases: [NET50]")
    )
    built_in = Layer("built-in", open_folder(folder, settings))
    fetched = Layer("https://e.example", open_folder(theirs, settings), trusted=False)
    index = Index((fetched, built_in))
    assert index.entry("net50").index == "built-in"
    assert index.entry("NET50").index == "built-in"
    assert index.entry("sly").index == "https://e.example"
    assert [e.index for e in index.list("net50")] == ["built-in"]
    allowed = Index((replace(fetched, trusted=True), built_in))
    assert allowed.entry("net50").index == "https://e.example"
