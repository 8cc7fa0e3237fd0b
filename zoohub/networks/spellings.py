"""Publishers' names for what builders take: a configuration of MindFormers, MindNLP or
transformers then builds the network as it stands. Readable without MindSpore."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.errors import UsageError
from zoohub.networks.family import Arguments, Family

# Each row's names say the same. A family has its own of them; the others stand for it.
_SAME: tuple[tuple[str, ...], ...] = (
    ("vocab_size", "padded_vocab_size"),
    ("hidden_size", "embed_dim", "emb_dim", "n_embd", "d_model"),
    ("num_hidden_layers", "depth", "num_layers", "n_layers", "n_layer"),
    ("num_attention_heads", "num_heads", "n_heads", "n_head"),
    ("kv_heads", "n_kv_heads", "num_key_value_heads", "multi_query_group_num"),
    ("head_dim", "d_kv", "kv_channels"),
    ("intermediate_size", "ffn_dim", "ffn_hidden_size", "inner_hidden_size", "d_ff"),
    ("max_position_embeddings", "longest", "n_positions", "n_position"),
    ("layer_norm_eps", "norm_eps", "rms_norm_eps"),
    ("word_dim", "word_embed_proj_dim"),
    ("norms_first", "do_layer_norm_before"),
    ("mask_id", "gmask_token_id"),
    ("start_id", "bos_token_id"),
)
# What says how a network was run, and nothing of the network.
_OF_RUNS = (
    "batch_size", "seq_length", "max_decode_length", "pad_token", "pad_token_id", "bos_token_id",
    "eos_token", "eos_token_id", "mask_token_id",
)  # fmt: skip


def own_names(family: Family, known: Arguments, given: Arguments) -> dict[str, object]:
    """The arguments `given` under the family's own names; `known` are those the model has.

    A name that the family does not have stays as it is, unless it is a publisher's for one that it
    has. Names of how a network was run (`batch_size`, the ids of special tokens) are left out;
    `seq_length` is the `longest` of a family that has that, where nothing else says it.

    Raises:
        UsageError: two names of one argument with different values.
    """
    if not given.keys() - family.arguments.keys():
        return dict(given)
    if family.from_config is not None:
        given = family.from_config(known, given)
    found: dict[str, object] = {}
    said_by: dict[str, str] = {}
    for name, value in given.items():
        own = _own(family, name)
        if own is None:
            continue
        if own in found and found[own] != value:
            raise UsageError(
                f"{family.name}: {said_by[own]}={found[own]!r} and {name}={value!r} are the same "
                "argument; give one of them"
            )
        found[own], said_by[own] = value, name
    if "seq_length" in given and "longest" in family.arguments:
        found.setdefault("longest", given["seq_length"])
    return found


def resizes(arguments: Arguments) -> bool:
    """Whether a family's own arguments say how wide or how deep the network is, so that the model's
    number of parameters is not this one's."""
    return any(name in arguments for names in _SAME[1:3] for name in names)


def _own(family: Family, name: str) -> str | None:
    """What the family calls it; None: it says nothing of the network."""
    takes: Mapping[str, object] = family.arguments
    if name in takes:
        return name
    for names in _SAME:
        if name in names:
            own = [one for one in names if one in takes]
            if len(own) == 1:
                return own[0]
    return None if name in _OF_RUNS else name
