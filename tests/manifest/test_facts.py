"""The published facts, row by row, against the index: nothing lost, nothing changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import AmbiguousReference
from zoohub.manifest.entry import Checkpoint, Record
from zoohub.manifest.index import Index
from zoohub.manifest.places import checkout_index


@pytest.fixture(scope="module")
def rows(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "facts" / "checkpoints.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def run_importer(facts: Path, index: Path, *options: str) -> tuple[int, str]:
    """`python index/importer FACTS INDEX`: it lies beside the index, outside the package."""
    folder = checkout_index()
    if folder is None:
        pytest.skip("an installed package has no index folder")
    command = [sys.executable, str(folder / "importer"), str(facts), str(index), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def record_of(checkpoint: Checkpoint, uid: str, url: str) -> Record:
    return next(r for r in checkpoint.records if (r.uid, r.url) == (uid, url))


@pytest.mark.slow
def test_every_url_and_published_name_resolves_to_what_was_published(
    real: Index, rows: list[dict[str, Any]]
) -> None:
    by_uid: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for entry in row["entries"]:
            by_uid.setdefault((entry["uid"], row["format"]), set()).add(row["url"])
    for row in rows:
        checkpoint = real.resolve(row["url"]).checkpoint
        assert checkpoint is not None
        assert row["url"] in checkpoint.sources
        assert checkpoint.format == row["format"]
        declared = checkpoint.sha256 or checkpoint.doubtful_sha256
        assert declared == (row["sha256"] or row.get("sha256_invalid"))
        if row["sha256_prefix"] and not row["sha256"]:
            assert checkpoint.sha256_prefix == row["sha256_prefix"]
        for entry in row["entries"]:
            record = record_of(checkpoint, entry["uid"], row["url"])
            assert record.dataset == entry["dataset"]
            assert dict(record.metrics) == entry["metrics"]
            assert record.mindspore == entry["mindspore_version"]
            assert (record.repository, record.ref, record.path) == (
                entry["repo"],
                entry["repo_ref"],
                entry["repo_path"],
            )
            named = real.resolve(f"{entry['uid']}#{row['format']}").checkpoint
            assert named is not None
            urls = by_uid[entry["uid"], row["format"]]
            assert urls & set(named.sources)
            if len(urls) == 1:
                assert named.reference == checkpoint.reference
            plain = real.resolve(entry["uid"]).checkpoint
            assert plain is not None
            formats = {f for uid, f in by_uid if uid == entry["uid"]}
            assert plain.format == ("ckpt" if "ckpt" in formats else plain.format)


def test_only_a_full_hash_that_is_not_doubted_joins_urls(
    real: Index, rows: list[dict[str, Any]]
) -> None:
    declared = {row["url"]: row for row in rows}
    contents = 0
    hashes: dict[str, str] = {}
    for entry in real.list():
        for checkpoint in entry.checkpoints:
            urls = [url for url in checkpoint.sources if url in declared]
            contents += bool(urls)
            if checkpoint.declared == "sha256" and urls:
                assert {declared[url]["sha256"] for url in urls} == {checkpoint.sha256}
                assert checkpoint.sha256 is not None
                other = hashes.setdefault(checkpoint.sha256, checkpoint.reference)
                assert other == checkpoint.reference
            elif urls:
                assert len(urls) == 1
                assert checkpoint.sha256 is None
    assert contents == 1755


def test_no_two_contents_share_a_reference(real: Index) -> None:
    for entry in real.list():
        ids = [name for c in entry.checkpoints for name in (c.id, *c.aliases)]
        assert len(ids) == len(set(ids)), entry.model
        for checkpoint in entry.checkpoints:
            assert real.resolve(checkpoint.reference).checkpoint == checkpoint


def test_every_doubtful_hash_of_the_facts_is_marked(
    real: Index, rows: list[dict[str, Any]]
) -> None:
    flags = ("sha256_suspect", "sha256_conflicts", "sha256_invalid")
    doubted = [row for row in rows if any(row.get(flag) for flag in flags)]
    assert len(doubted) == 23
    for row in doubted:
        checkpoint = real.resolve(row["url"]).checkpoint
        assert checkpoint is not None
        assert (checkpoint.declared, checkpoint.sha256) == ("doubtful", None)
        assert checkpoint.note
    empty = real.resolve("mindspore/ascend/1.0/ssd300_v1.0#mslite").checkpoint
    assert empty is not None
    assert empty.declared == "doubtful"


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("yolov5", "yolov5s@mindyolo"),
        ("lenet", "lenet5@r1.10-mnist"),
        ("resnet50", "resnet50@mindcv"),
        ("resnet50@r1.10-imagenet2012", "resnet50@r1.10-imagenet2012"),
        ("resnet50@1.8", "resnet50@r1.10-imagenet2012"),
        ("resnet50@r1.8-cifar10", "resnet50@r1.10-cifar10"),
        ("ssd300@r1.10-coco2017", "ssd300@r1.10-coco2017"),
        ("mindspore/1.10/resnet50_imagenet2012", "resnet50@r1.10-imagenet2012"),
        ("mindspore/1.8/semantichumanmatting_mattinghumandatasets", None),
        ("yolov5s#mindir", "yolov5s@mindyolo-mindir"),
        ("yolov7-tiny", "yolov7_tiny@mindyolo"),
        ("BiT_resnet50", "bit_resnet50@mindcv"),
        ("mobilenet_v2_1.0_224", "mobilenet_v2_100@mindcv"),
        ("seresnet50", "seresnet50@mindcv"),
        ("se_resnet50", "se_resnet50@r1.10-imagenet2012"),
        ("clip_vit_b_32@mindone", "clip_vit_b_32@mindone"),
        ("resnet50@mindpose", "resnet50@mindpose"),
    ],
)
def test_names_go_where_people_expect(real: Index, reference: str, meant: str | None) -> None:
    checkpoint = real.resolve(reference).checkpoint
    assert checkpoint is not None
    assert meant is None or checkpoint.reference == meant


@pytest.mark.parametrize("name", ["clip_vit_b_16", "clip_vit_b_32", "clip_vit_l_14", "gpt2"])
def test_what_several_labs_call_by_one_name_is_ambiguous(real: Index, name: str) -> None:
    with pytest.raises(AmbiguousReference, match="several projects"):
        real.resolve(name)


def test_two_pages_that_differ_by_case_are_two(real: Index) -> None:
    lower = real.resolve("mindspore/1.8/semantichumanmatting_mattinghumandatasets").checkpoint
    upper = real.resolve("mindspore/1.8/semantichumanmatting_MattingHumanDatasets").checkpoint
    assert lower is not None
    assert upper is not None
    assert not set(lower.sources) & set(upper.sources)


def test_every_name_of_the_labs_lists_resolves(real: Index, shared: Path) -> None:
    for file in ("mindcv_models.jsonl", "mindyolo_models.jsonl"):
        for line in (shared / "facts" / file).read_text().splitlines():
            row = json.loads(line)
            entry = real.entry(row["name"])
            for alias in row.get("aliases") or ():
                real.entry(alias)
            if row.get("url"):
                checkpoint = entry.checkpoint()
                assert checkpoint is not None
                assert row["url"] in checkpoint.sources
    for line in (
        (shared / "facts" / "hub_entries_without_checkpoint.jsonl").read_text().splitlines()
    ):
        real.entry(json.loads(line)["uid"])


def test_the_mislabelled_classifier_is_a_classifier(real: Index) -> None:
    entry, checkpoint = (r := real.resolve("mobilenet_v2_100")).entry, r.checkpoint
    assert checkpoint is not None
    assert checkpoint.sha256_prefix == "d5532038"
    assert (entry.task, checkpoint.dataset) == ("image-classification", "imagenet2012")
    assert [record.dataset for record in checkpoint.records] == ["coco2017"]


def test_the_import_finds_nothing_to_do(shared: Path) -> None:
    status, out = run_importer(shared / "facts", checkout_index() or Path())
    assert (status, "0 only in the facts, 0 only in the index, 0 differences" in out) == (0, True)


def test_the_import_writes_new_families_and_leaves_the_others_alone(
    shared: Path, tmp_path: Path
) -> None:
    facts = tmp_path / "facts"
    facts.mkdir()
    for file in (shared / "facts").glob("*.jsonl"):
        lines = file.read_text().splitlines(keepends=True)
        keep = [line for line in lines if '"mindaudio/' in line]
        (facts / file.name).write_text("".join(keep))
    index = tmp_path / "index"
    assert run_importer(facts, index, "--write")[0] == 0
    written = sorted(p.relative_to(index).as_posix() for p in index.rglob("*.yaml"))
    assert "speech-recognition/conformer.yaml" in written
    file = index / "speech-recognition" / "conformer.yaml"
    file.write_text(file.read_text().replace("548ee31b\n", "548ee31c\n"))
    status, out = run_importer(facts, index, "--write")
    assert status == 1
    assert "conformer@" in out
    assert "sha256_prefix: facts '548ee31b', index '548ee31c'" in out
    assert "wrote" not in out
