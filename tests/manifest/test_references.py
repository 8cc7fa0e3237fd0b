"""What a reference means: exactly, loosely, by release, by format, or not at all."""

from __future__ import annotations

import pytest

from zoohub.errors import AmbiguousReference, UnknownModel
from zoohub.manifest.index import Index


@pytest.mark.parametrize(
    ("reference", "meant", "explicit"),
    [
        ("net50", "net50@lab", False),
        ("net", "net50@lab", False),
        ("NET50", "net50@lab", False),
        ("Net-Fifty", "net50@lab", False),
        ("net_fifty", "net50@lab", False),
        ("net50@lab", "net50@lab", True),
        ("net@r1.10-small", "net50@r1.10-small", True),
        ("net50@1.10", "net50@r1.10-big", True),
        ("net50@r1.9", "net50@r1.10-big", True),
        ("net50@r1.9-big", "net50@r1.10-big", True),
        ("net50@1.8", "net50@r1.8-small", True),
        ("net50#mindir", "net50@lab-mindir", True),
        ("net50#ckpt", "net50@lab", True),
        ("net50@lab#mindir", "net50@lab-mindir", True),
        ("net50@lab-911-mindir", "net50@lab-911-mindir", True),
        ("lab/net50", "net50@lab", True),
        ("LAB/net50", "net50@lab", True),
        ("lab/net50@911.mindir", "net50@lab-911-mindir", True),
        ("hub/1.9/net50_big", "net50@r1.10-big", True),
        ("https://b.example/r1.9/net50.ckpt", "net50@r1.10-big", True),
        ("hub/0.7/net18", "net18@r0.7-big", True),
        ("se_net50", "se_net50@lab", False),
        ("se-net50", "se_net50@lab", False),
        ("senet50", "senet50@lab", False),
    ],
)
def test_a_reference_means_one_checkpoint(
    index: Index, reference: str, meant: str, explicit: bool
) -> None:
    resolved = index.resolve(reference)
    assert resolved.checkpoint is not None
    assert resolved.checkpoint.reference == meant
    assert resolved.explicit is explicit


@pytest.mark.parametrize(
    "reference", ["net5", "net500", "et50", "net50@nothing", "net50#onnx", "", "a\nb", "x" * 5000]
)
def test_nothing_is_guessed(index: Index, reference: str) -> None:
    with pytest.raises(UnknownModel):
        index.resolve(reference)


def test_an_unknown_name_is_answered_with_the_closest(index: Index) -> None:
    with pytest.raises(UnknownModel, match=r"closest are .*net50"):
        index.resolve("nett50")
    with pytest.raises(UnknownModel, match=r"@r1\.10-small"):
        index.resolve("net50@r1.10-smal")


def test_a_name_of_several_projects_without_a_default_is_ambiguous(index: Index) -> None:
    with pytest.raises(AmbiguousReference, match="facer@one, facer@two"):
        index.resolve("facer")
    assert index.entry("facer").model == "facer"
    checkpoint = index.resolve("facer@two").checkpoint
    assert checkpoint is not None
    assert checkpoint.id == "two"


def test_an_alias_of_two_models_is_ambiguous(index: Index) -> None:
    with pytest.raises(AmbiguousReference, match="face_big, face_small"):
        index.resolve("shared-name")


def test_a_model_without_files_resolves_to_no_checkpoint(index: Index) -> None:
    resolved = index.resolve("net101")
    assert resolved.entry.description == "Announced and never published."
    assert resolved.checkpoint is None


def test_a_doubtful_hash_is_shown_and_is_no_hash(index: Index) -> None:
    checkpoint = index.resolve("net50@r1.8-small").checkpoint
    assert checkpoint is not None
    assert checkpoint.declared == "doubtful"
    assert checkpoint.sha256 is None
    assert checkpoint.doubtful_sha256 == "c" * 64
    with pytest.raises(UnknownModel):
        index.resolve("c" * 64)


def test_defaults_reach_the_checkpoint_and_differences_stay(index: Index) -> None:
    entry = index.entry("net50")
    lab, zoo = entry.checkpoint("lab"), entry.checkpoint("r1.10-small")
    assert lab is not None
    assert zoo is not None
    assert lab.network is not None
    assert lab.network.arguments == {"depth": 50}
    assert lab.network.parameters == "lab"
    assert lab.licence == "Apache-2.0"
    assert zoo.network is not None
    assert zoo.network.arguments == {"depth": 50, "pad": "same", "classes": 10}
    assert zoo.network.parameters == "zoo"
    assert zoo.input is not None
    assert (zoo.input.crop, zoo.input.resize, zoo.input.mean) == (None, "stretch", (0.5, 0.5, 0.5))
    assert entry.checkpoint("r1.8-small").network is None  # type: ignore[union-attr]


def test_records_keep_what_each_page_said(index: Index) -> None:
    checkpoint = index.entry("net50").checkpoint("r1.10-big")
    assert checkpoint is not None
    assert checkpoint.sources == (
        "https://b.example/r1.10/net50.ckpt",
        "https://b.example/r1.9/net50.ckpt",
    )
    assert [(r.mindspore, r.metrics["top1"]) for r in checkpoint.records] == [
        ("1.10", 76.0),
        ("1.9", 75.9),
    ]
    assert {r.repository for r in checkpoint.records} == {"example.org/zoo"}


def test_list_filters_by_what_one_checkpoint_has(index: Index) -> None:
    def names(pattern: str | None = None, **filters: str) -> list[str]:
        return [entry.model for entry in index.list(pattern, **filters)]  # type: ignore[arg-type]

    assert names("net*") == ["net101", "net18", "net50"]
    assert names(task="face-detection") == ["face_big", "face_small", "facer"]
    assert names(source="zoo") == ["net50"]
    assert names(dataset="SMALL", source="zoo") == ["net50"]
    assert names(dataset="small", source="lab") == []
    assert names(format="mindir") == ["net50"]
    assert names(mindspore="1.9") == ["net50"]
    assert names(mindspore="1") == ["net50"]
    assert names("*'; DROP TABLE models; --") == []
    assert list(index.models()) == [s.model for s in index.summaries()]


def test_search_finds_by_all_words_then_by_any(index: Index) -> None:
    assert {e.model for e in index.search("face detection")} == {"facer", "face_small", "face_big"}
    assert index.search("net fifty")[0].model == "net50"
    assert {e.model for e in index.search("fifty announced")} >= {"net50", "net101"}
    assert index.search("net 18")[0].model == "net18"
    assert index.search('"* OR ( NEAR') == []
    assert index.search("") == []


def test_a_summary_is_the_default_checkpoint_at_a_glance(index: Index) -> None:
    summary = next(index.summaries("net50"))
    assert summary == ("net50", "image-classification", "big", "top1", 75.5, None, 6, "net")
    empty = next(index.summaries("net101"))
    assert empty == ("net101", "image-classification", None, "", None, None, 0, "net")
