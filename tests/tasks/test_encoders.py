"""The index's text encoders: each has the task that its head is for, and says what it reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.opening import open_index
from zoohub.networks.families import family_names, find_family
from zoohub.settings import load_settings
from zoohub.tasks.encoders import head_of, reads_text
from zoohub.tasks.finding import task_for

SIZES = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 8, "max_position_embeddings": 8}  # fmt: skip
XLM_SIZES = {"vocab_size": 9, "emb_dim": 8, "n_layers": 1, "n_heads": 2}
ENCODERS = [name for name in family_names() if find_family(name).heads]


def test_every_published_encoder_has_a_task_and_a_contract() -> None:
    index = open_index(load_settings())
    served: Counter[str] = Counter()
    for name in index.models():
        entry = index.entry(name)
        for checkpoint in entry.checkpoints:
            spec = checkpoint.network or entry.network
            if spec is None or spec.builder not in ENCODERS or not reads_text(spec):
                continue
            task = task_for(entry.task, spec)
            if spec.arguments.get("causal"):
                continue  # it writes from left to right
            task.check_network(spec)
            contract = checkpoint.input or entry.input
            assert contract is not None, checkpoint.reference
            assert contract.text is not None, checkpoint.reference
            served[task.name] += 1
    least = {"fill-mask": 30, "question-answering": 20, "named-entity-recognition": 7,
             "text-classification": 20, "text-embedding": 3}  # fmt: skip
    assert set(served) == set(least)
    assert all(served[name] >= count for name, count in least.items()), served


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_says_its_first_head_by_its_default(name: str) -> None:
    heads = find_family(name).heads
    assert head_of(NetworkSpec(name, {})) == heads[0]
    assert len(set(heads)) == len(heads)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoders_heads_are_those_that_its_builder_knows(name: str) -> None:
    import inspect

    family = find_family(name)
    build = family.load()
    assert inspect.signature(build).parameters["head"].default == family.heads[0]
    sizes = XLM_SIZES if name == "xlm" else SIZES
    for head in family.heads:
        build(head=head, **sizes)
    with pytest.raises(ValueError, match="head"):
        build(head="no such head", **sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head"),
    [(name, head) for name in ENCODERS for head in find_family(name).heads if head != "encoder"],
)
def test_a_file_of_any_head_gives_its_encoder_alone(name: str, head: str, tmp_path: Path) -> None:
    import mindspore as ms

    from zoohub.errors import CheckpointMismatch
    from zoohub.networks.families import exchanged_heads
    from zoohub.networks.loading import build, create_network
    from zoohub.networks.options import NetworkOptions

    sizes = XLM_SIZES if name == "xlm" else SIZES
    spec = NetworkSpec(name, {**sizes, "head": head})
    whole = build(spec)
    ms.save_checkpoint(whole, str(tmp_path / "whole.ckpt"))
    renewed = NetworkOptions(renewed=exchanged_heads(spec, {"head": "encoder"}))

    def alone() -> None:
        net, report = create_network(spec, tmp_path / "whole.ckpt", renewed, head="encoder")
        assert report is not None
        assert set(report.loaded) == {p.name for p in net.get_parameters()}
        assert report.left_out

    if (name, head) == ("roberta", "classification"):  # whose files lack the pooler
        with pytest.raises(CheckpointMismatch, match=r"missing: dense\.weight, dense\.bias"):
            alone()
    else:
        alone()
