"""A publisher's configuration builds the network as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cases import CASES

import zoohub
from zoohub.errors import NotEnoughMemory, UsageError
from zoohub.models.memory import Memory
from zoohub.networks.families import find_family
from zoohub.networks.family import Family
from zoohub.networks.spellings import own_names

NAMED = [case for case in CASES if case.source in ("mindformers", "mindnlp")]


def own(name: str, known: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    return own_names(find_family(name), known or {}, given)


def test_references_configurations_say_what_their_networks_are_built_with(shared: Path) -> None:
    tried = 0
    for case in NAMED:
        index = json.loads((shared / "oracle" / "golden" / f"{case.source}.json").read_text())
        config = index["models"].get(case.model, {}).get("config")
        if not isinstance(config, dict):
            continue  # none is published of it
        tried += 1
        built: dict[str, Any] = {**case.arguments, **case.reduced}
        family: Family = find_family(case.family)
        for name, value in own_names(family, built, config).items():
            assert family.misfit(name, value) is None, case.id
            # A network takes any length up to the longest, and other values are defaults.
            if name in built and not (name == "longest" and "seq_length" in config):
                assert built[name] == value, (case.id, name)
    assert tried > 20


def test_names_of_other_publishers_stand_for_the_familys_own() -> None:
    assert own("gpt2", n_embd=64, n_layer=2, n_head=4, n_positions=32, vocab_size=5) == {
        "embed_dim": 64,
        "depth": 2,
        "num_heads": 4,
        "longest": 32,
        "vocab_size": 5,
    }
    assert own("bert", embed_dim=64, depth=2) == {"hidden_size": 64, "num_hidden_layers": 2}


def test_how_a_network_was_run_is_left_out() -> None:
    assert own("gpt2", batch_size=2, eos_token_id=3, seq_length=20) == {"longest": 20}
    assert own("gpt2", seq_length=20, n_position=64) == {"longest": 64}
    assert own("bert", seq_length=20, batch_size=2) == {}
    assert own("roberta", pad_token_id=1) == {"pad_token_id": 1}


def test_the_width_of_a_llama_follows_from_its_multiple() -> None:
    assert own("llama", hidden_size=64, multiple_of=32)["ffn_dim"] == 192
    assert own("llama", hidden_size=4096, multiple_of=256)["ffn_dim"] == 11008
    assert own("llama", {"embed_dim": 8192}, multiple_of=4096, ffn_dim_multiplier=1.3) == {
        "ffn_dim": 28672
    }
    assert own("llama", {"joint_kv": True}, ffn_dim_multiplier=96) == {"ffn_dim": 96}
    assert own("llama", has_bias=True) == {"qkv_bias": True, "out_bias": True}


def test_two_names_of_one_argument_must_agree() -> None:
    assert own("openai_gpt", n_embd=64, hidden_size=64) == {"embed_dim": 64}
    with pytest.raises(UsageError, match=r"n_embd=64 and hidden_size=32 are the same argument"):
        own("openai_gpt", n_embd=64, hidden_size=32)


def test_a_reduced_network_of_a_large_model_is_not_held_to_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoohub.models.memory.machine_memory", lambda: Memory(1 << 30))
    small = {"vocab_size": 30, "num_layers": 1, "num_heads": 2, "hidden_size": 8}
    net = zoohub.load("baichuan2_13b_base", **small, multiple_of=4, seq_length=8)
    assert net.zoohub.input.text.max_length == 8
    with pytest.raises(NotEnoughMemory):
        zoohub.load("baichuan2_13b_base", vocab_size=30)


def test_an_unknown_name_stays_and_is_refused_by_the_family() -> None:
    assert own("gpt2", colour=1) == {"colour": 1}
